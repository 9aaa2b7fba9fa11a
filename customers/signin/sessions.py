"""Sessions in PostgreSQL, read together with whose they are: each page of the console begins with this statement."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db

from customers.models.session import Session
from customers.signin.users import WHO
from customers.sql import cursor

READ = f"""
SELECT s.session_data, {WHO.columns}
  FROM customers_session s LEFT JOIN auth_user u ON u.id = s.user_id {WHO.joins}
 WHERE s.session_key = %s AND s.expire_date > now()
""".encode()


class SessionStore(db.SessionStore):
    """`whose`: the columns of WHO, of whoever it was saved for; nothing before it was read."""

    whose: Sequence[Any] | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row = super().create_model_instance(data)
        assert isinstance(row, Session)
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        return row

    def load(self) -> dict[str, Any]:
        """Nothing of one that expired or never was; asked of the primary, where it was just written."""
        with cursor("noting") as sql:
            sql.execute(READ, (self.session_key,), prepare=True)
            row = sql.fetchone()
        if row is None:
            self._session_key = None
            return {}
        data, *self.whose = row
        found: dict[str, Any] = self.decode(data)
        return found
