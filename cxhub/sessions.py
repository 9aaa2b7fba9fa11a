"""Sessions in PostgreSQL as Django keeps them, read by a prepared statement: each page of the console begins so."""

from typing import Any

from django.contrib.sessions.backends import db

from customers.sql import cursor

READ = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > now()"


class SessionStore(db.SessionStore):
    def load(self) -> dict[str, Any]:
        """Nothing of one that expired or never was; asked of the primary, where it was just written."""
        with cursor("noting") as sql:
            sql.execute(READ, (self.session_key,), prepare=True)
            row = sql.fetchone()
        if row is None:
            self._session_key = None
            return {}
        found: dict[str, Any] = self.decode(row[0])
        return found
