"""Django's PostgreSQL backend with connections that end every wait when the request's patience has run out."""

import select
from collections.abc import Generator
from contextlib import ExitStack
from time import monotonic
from typing import Any, ClassVar, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg import IsolationLevel, waiting

from customers.patience import LEFT, Patience, patience, ran_out
from cxhub.patient.crowd import ANSWER, LONG, PRIMARY, REPLICA, Crowd

RV = TypeVar("RV")
SILENT = "the database did not answer in time"


class PatientConnection(psycopg.Connection[Any]):
    """What is given up is closed: nobody knows what it was in the middle of."""

    crowd: ClassVar[Crowd | None] = None
    """Of those who wait for the same server."""
    params: dict[str, Any]

    def wait(self, gen: Generator[Any, Any, RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if (mine := LEFT.get()) is None:
            return super().wait(gen, interval, timeout)
        most = mine.left if timeout is None else min(timeout, mine.left)
        begun = monotonic()
        try:
            if self.crowd is None or mine.tells or most <= LONG:  # The doors find out by themselves, and sooner.
                return super().wait(gen, interval, most)
            try:
                return super().wait(gen, interval, LONG)
            except psycopg.errors._WaitTimeout:
                return self.wait_among_others(gen, interval, begun + most, self.crowd)
        except psycopg.errors._WaitTimeout:
            self.close()
            ran_out(mine)
            raise psycopg.OperationalError(SILENT) from None
        finally:
            mine.waited(monotonic() - begun)

    def wait_among_others(self, gen: Generator[Any, Any, RV], interval: float, end: float, crowd: Crowd) -> RV:
        """Goes on with what took long already; raises _WaitTimeout at the end, or as soon as it is hopeless."""
        with crowd.joined():
            while not crowd.hopeless(self.answers) and (left := end - monotonic()) > 0:
                try:
                    return super().wait(going_on(gen), interval, min(left, LONG))
                except psycopg.errors._WaitTimeout:
                    continue
        raise psycopg.errors._WaitTimeout

    def answers(self) -> bool:
        """Whether this server answers somebody else; «too many connections» is an answer, too."""
        try:
            with patience(ANSWER, ANSWER, tells=False), PatientConnection.connect(**self.params) as other:
                other.execute("SELECT 1")
        except psycopg.Error as trouble:
            return SILENT not in str(trouble)
        return True

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> Generator[Any, Any, Any]:
        """libpq takes no limit below two seconds."""
        connecting = super()._connect_gen(conninfo)
        if (mine := LEFT.get()) is None:
            return (yield from connecting)
        begun, joined = monotonic(), ExitStack()
        try:
            wanted = next(connecting)
            while True:
                ready = yield wanted
                if not ready and cls.given_up(monotonic() - begun, mine, joined):
                    ran_out(mine)
                    raise psycopg.errors.ConnectionTimeout(SILENT)
                wanted = connecting.send(ready)
        except StopIteration as end:
            return end.value
        finally:
            joined.close()
            mine.waited(monotonic() - begun)

    @classmethod
    def given_up(cls, waited: float, mine: Patience, joined: ExitStack) -> bool:
        """Whoever waits for a connection need not ask whether the server answers."""
        if cls.crowd is None or mine.tells or waited <= LONG or waited > mine.left:
            return waited > mine.left
        joined.pop_all().close()
        joined.enter_context(cls.crowd.joined())
        return cls.crowd.hopeless(lambda: waited < LONG + ANSWER)


class PrimaryConnection(PatientConnection):
    crowd = PRIMARY


class ReplicaConnection(PatientConnection):
    crowd = REPLICA


def going_on(gen: Generator[Any, Any, RV]) -> Generator[Any, Any, RV]:
    """What waits already, for one who begins to wait."""
    try:
        wanted = gen.send(waiting.READY_NONE)
        while True:
            wanted = gen.send((yield wanted))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


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
        kind = ReplicaConnection if self.alias == "replica" else PrimaryConnection
        connection = kind.connect(**conn_params)
        connection.params = conn_params
        return connection
