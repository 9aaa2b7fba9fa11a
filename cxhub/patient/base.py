"""Django's PostgreSQL backend with connections that end every wait when the request's patience has run out."""

import select
from collections.abc import Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg import IsolationLevel

from customers.patience import LEFT, ran_out

RV = TypeVar("RV")
SILENT = "the database did not answer in time"


class PatientConnection(psycopg.Connection[Any]):
    """What is given up is closed: nobody knows what it was in the middle of."""

    def wait(self, gen: Generator[Any, Any, RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if (patience := LEFT.get()) is None:
            return super().wait(gen, interval, timeout)
        most = patience.left if timeout is None else min(timeout, patience.left)
        begun = monotonic()
        try:
            return super().wait(gen, interval, most)
        except psycopg.errors._WaitTimeout:
            self.close()
            ran_out(patience)
            raise psycopg.OperationalError(SILENT) from None
        finally:
            patience.waited(monotonic() - begun)

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Generator[Any, Any, Any]:
        """libpq takes no limit below two seconds."""
        connecting = super()._connect_gen(conninfo)
        if (patience := LEFT.get()) is None:
            return (yield from connecting)
        begun = monotonic()
        try:
            wanted = next(connecting)
            while True:
                ready = yield wanted
                if not ready and monotonic() - begun > patience.left:
                    ran_out(patience)
                    raise psycopg.errors.ConnectionTimeout(SILENT)
                wanted = connecting.send(ready)
        except StopIteration as end:
            return end.value
        finally:
            patience.waited(monotonic() - begun)


def hung_up(connection: PatientConnection) -> bool:
    """Whether the server has ended it meanwhile: nothing else is heard on a connection that nobody asked anything."""
    if connection.closed:
        return True
    heard = select.poll()
    heard.register(connection.fileno(), select.POLLIN)
    return bool(heard.poll(0))


class DatabaseWrapper(base.DatabaseWrapper):
    """A request that comes after the database was started again does not fail on the connection of before."""

    def close_if_unusable_or_obsolete(self) -> None:
        if self.connection is not None and not self.in_atomic_block and hung_up(self.connection):
            self.close()
        super().close_if_unusable_or_obsolete()

    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        self.isolation_level = IsolationLevel.READ_COMMITTED
        return PatientConnection.connect(**conn_params)
