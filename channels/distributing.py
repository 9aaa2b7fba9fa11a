"""The statements that spread lines, their parts and raw bytes over the servers of a Citus cluster.

Preparing needs no Citus: lines are keyed by their identity, and a ledger says where each lives and keeps its id unique
(`customers.homes`). What is prepared works on one server as before, so that it can be tried there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from django.db import connection, transaction

Phase = Literal["prepare", "distribute", "back"]
SHARDS = 64


@dataclass(frozen=True, slots=True)
class Step:
    """One statement, and why it is there."""

    statement: str
    why: str


PREPARE: tuple[Step, ...] = (
    Step(
        "LOCK TABLE customers_interaction, customers_interactionpart, customers_linehome IN ACCESS EXCLUSIVE MODE",
        "nothing may come in between",
    ),
    Step("TRUNCATE customers_linehome", "whatever an attempt that broke off left there"),
    Step(
        "INSERT INTO customers_linehome (id, identity_id) SELECT id, identity_id FROM customers_interaction",
        "the ledger: one narrow row a line, on the coordinator",
    ),
    Step(
        "ALTER TABLE customers_interaction DROP CONSTRAINT customers_interaction_pkey,"
        " ADD PRIMARY KEY (identity_id, id)",
        "a key must hold what the rows are spread by",
    ),
    Step("CREATE INDEX interaction_id ON customers_interaction (id)", "lines are still asked for by their ids alone"),
    Step(
        "ALTER TABLE customers_interactionpart DROP CONSTRAINT customers_interactionpart_pkey,"
        " DROP CONSTRAINT interaction_part, ADD PRIMARY KEY (identity_id, line_id, part)",
        "parts lie beside their line",
    ),
    Step("CREATE INDEX interactionpart_line ON customers_interactionpart (line_id)", "and are asked for by it"),
)
BACK: tuple[Step, ...] = (
    Step(
        "LOCK TABLE customers_interaction, customers_interactionpart, customers_linehome IN ACCESS EXCLUSIVE MODE",
        "nothing may come in between",
    ),
    Step("DROP INDEX interaction_id", "the key has it again"),
    Step(
        "ALTER TABLE customers_interaction DROP CONSTRAINT customers_interaction_pkey, ADD PRIMARY KEY (id)",
        "an id is unique by itself",
    ),
    Step("DROP INDEX interactionpart_line", "the constraint has it again"),
    Step(
        "ALTER TABLE customers_interactionpart DROP CONSTRAINT customers_interactionpart_pkey, ADD PRIMARY KEY (id),"
        " ADD CONSTRAINT interaction_part UNIQUE (line_id, part)",
        "as the migrations have it",
    ),
    Step("TRUNCATE customers_linehome", "nobody asks the ledger any more"),
)
FUNCTIONS = ("cxhub_numbers(text)", "cxhub_vector(text, text)", "cxhub_query(text)")
PREPARED = """
SELECT EXISTS (SELECT 1 FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
                WHERE t.relname = 'customers_interaction' AND c.contype = 'p' AND cardinality(c.conkey) = 2)
"""


class NotPossible(Exception):
    """One line that says why."""


def distribute_steps(shards: int = SHARDS) -> tuple[Step, ...]:
    functions = (
        Step(f"SELECT create_distributed_function('{name}')", "what the index of words is made with")
        for name in FUNCTIONS
    )
    return (
        *functions,
        Step(
            f"SELECT create_distributed_table('customers_interaction', 'identity_id', shard_count => {shards})",
            "a customer's identity has all its lines on one server",
        ),
        Step(
            "SELECT create_distributed_table('customers_interactionpart', 'identity_id',"
            " colocate_with => 'customers_interaction')",
            "with their parts",
        ),
        Step(
            "SELECT create_distributed_table('channels_deliverybody', 'delivery_id',"
            f" colocate_with => 'none', shard_count => {shards})",
            "raw bytes go by the delivery they came with; partitions of later days follow their parent",
        ),
    )


def prepared() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(PREPARED)
        return bool(cursor.fetchone()[0])


def cluster() -> int:
    """How many servers take shards; raises NotPossible where there is no Citus, or nobody to take any."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
        if cursor.fetchone() is None:
            raise NotPossible(
                "Citus is not installed in this database. On each server: install Citus 14 or later, put it first in "
                "shared_preload_libraries, CREATE EXTENSION citus; here: SELECT citus_add_node(…) for each other one."
            )
        cursor.execute("SELECT count(*) FROM pg_dist_node WHERE noderole = 'primary' AND shouldhaveshards AND isactive")
        count = int(cursor.fetchone()[0])
    if not count:
        raise NotPossible("Citus knows no server that takes shards: SELECT citus_add_node('host', 5432).")
    return count


def run(steps: Sequence[Step]) -> None:
    """All or nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        for step in steps:
            cursor.execute(step.statement)
