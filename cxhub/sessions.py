"""Sessions in PostgreSQL as Django keeps them, read by a prepared statement: each page of the console begins so."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from customers.sql import cursor

READ = "SELECT session_data, expire_date FROM django_session WHERE session_key = %s AND expire_date > now()"


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        """None for one that expired or never was; asked of the primary, where it was just written."""
        with cursor("noting") as sql:
            sql.execute(READ, (self.session_key,), prepare=True)
            row = sql.fetchone()
        if row is None:
            self._session_key = None
            return None
        return Session(session_key=str(self.session_key), session_data=row[0], expire_date=row[1])
