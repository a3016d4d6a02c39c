"""Every table of ours, every person, every command: what is allowed is written down here, the rest must fail."""

from dataclasses import dataclass, field

import psycopg
import pytest

from rushes.domain.principal import Principal
from tests.integration.schema.people import PEOPLE, Stage


@dataclass(frozen=True, kw_only=True)
class Access:
    """How many of the stage's rows each person sees (absent: refused), and the columns that are granted to nobody."""

    anon: int | None = None
    owner: int | None = None
    stranger: int | None = None
    visitor: int | None = None
    admin: int | None = None
    hidden: frozenset[str] = field(default_factory=frozenset)
    updates: frozenset[str] = field(default_factory=frozenset)
    service: str = "SELECT, INSERT, UPDATE, DELETE"


HIDDEN = frozenset(
    {"user_ip", "comfy_url", "error_details", "metadata", "idempotency_key", "legacy_row"}
    | {"requires", "passed_over_at", "avoid_server"}
)
EDITABLE = frozenset({"title", "rating", "tags", "visibility", "cancel_requested_at", "deleted_at"})

# The stage has a private, a team, a public and a trashed public job, all of them the owner's.
TABLES: dict[str, Access] = {
    "public.workflow_jobs": Access(
        anon=1, owner=4, stranger=2, visitor=1, admin=4, hidden=HIDDEN, updates=EDITABLE
    ),
    "public.workflow_job_leases": Access(
        anon=1, owner=3, stranger=2, visitor=1, admin=3,
        hidden=frozenset({"lease_token", "owner", "server_id", "occupies_server", "expires_at", "cold"}),
    ),
    "public.workflow_job_attempts": Access(owner=3, admin=3, stranger=0, visitor=0, hidden=frozenset({"owner"})),
    "public.workflow_job_events": Access(
        owner=10, admin=10, stranger=0, visitor=0, service="SELECT, INSERT, DELETE"
    ),
    "public.workflow_prompts": Access(owner=3, admin=3, stranger=0, visitor=0, hidden=frozenset({"client_id"})),
    "public.comfy_servers": Access(owner=0, stranger=0, visitor=0, admin=1),
    "public.dispatchers": Access(),
    "public.uploads": Access(
        owner=1, admin=0, stranger=0, visitor=0, hidden=frozenset({"writer", "writing_until"})
    ),
    "public.caption_datasets": Access(
        anon=1, owner=3, stranger=2, visitor=1, admin=3, hidden=frozenset({"legacy_id", "legacy_row"})
    ),
    "public.caption_dataset_items": Access(
        anon=1, owner=3, stranger=2, visitor=1, admin=3, hidden=frozenset({"legacy_id", "legacy_row"})
    ),
    "public.api_keys": Access(owner=1, admin=0, stranger=0, visitor=0, hidden=frozenset({"sha256"})),
    "public.idempotency": Access(),
    "public.user_limits": Access(owner=1, admin=1, stranger=0, visitor=0),
    "public.storage_outbox": Access(),
    "public.workflow_requirements": Access(owner=0, stranger=0, visitor=0, admin=1),
    "public.comfy_node_catalogs": Access(),
    "public.comfy_server_abilities": Access(owner=0, stranger=0, visitor=0, admin=1),
    "public.queue_pauses": Access(owner=0, stranger=0, visitor=0, admin=1),
    "rushes.user_running": Access(),
    "rushes.accounts": Access(),
    "rushes.ended_sessions": Access(),
    "rushes.account_links": Access(),
    "rushes.user_bytes": Access(),
    "rushes.rates": Access(),
    "rushes.fair_turns": Access(),
    "rushes.chores": Access(),
    "rushes.removed_jobs": Access(),
    "rushes.lost_objects": Access(),
    "rushes.pruned_events": Access(service="SELECT, UPDATE"),
    "rushes_legacy.changes": Access(),
    "rushes_legacy.progress": Access(),
    "rushes_legacy.log": Access(),
    "rushes_legacy.choices": Access(),
    "rushes_legacy.owners": Access(),
    "rushes_legacy.style_prompts": Access(),
    "rushes_legacy.files": Access(),
    "rushes_legacy.written": Access(),
    "rushes_legacy.claims": Access(),
    "rushes_legacy.unsettled": Access(),
}  # fmt: skip
NOT_SERVICE = {name: who for name, who in PEOPLE.items() if who is not None}


def columns(stage: Stage, table: str) -> list[str]:
    rows = stage.connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        (table,),
    )
    return [name for (name,) in rows]


def refused(stage: Stage, who: Principal | None, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stage.ask(who, statement)


def test_every_table_is_in_the_list(stage: Stage) -> None:
    found = stage.connection.execute(
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname LIKE 'rushes%' OR schemaname = 'public'"
    )
    assert {name for (name,) in found} == set(TABLES), "say in TABLES who may do what with a new table"


@pytest.mark.parametrize("person", NOT_SERVICE)
@pytest.mark.parametrize("table", TABLES)
def test_a_person_sees_the_rows_that_are_theirs_to_see(stage: Stage, table: str, person: str) -> None:
    who, rows = PEOPLE[person], getattr(TABLES[table], person)
    visible = [name for name in columns(stage, table) if name not in TABLES[table].hidden]
    statement = f"SELECT {', '.join(visible)} FROM {table}"
    if rows is None:
        refused(stage, who, statement)
        refused(stage, who, f"SELECT count(*) FROM {table}")
    else:
        assert len(stage.ask(who, statement)) == rows


@pytest.mark.parametrize("person", NOT_SERVICE)
@pytest.mark.parametrize("table", TABLES)
def test_hidden_columns_are_refused(stage: Stage, table: str, person: str) -> None:
    for column in TABLES[table].hidden:
        refused(stage, PEOPLE[person], f"SELECT {column} FROM {table}")
        refused(stage, PEOPLE[person], f"SELECT 1 FROM {table} WHERE {column} IS NOT NULL")
    if TABLES[table].hidden:
        refused(stage, PEOPLE[person], f"SELECT * FROM {table}")


@pytest.mark.parametrize("person", NOT_SERVICE)
@pytest.mark.parametrize("table", TABLES)
def test_nobody_inserts_deletes_truncates_or_locks(stage: Stage, table: str, person: str) -> None:
    who = PEOPLE[person]
    refused(stage, who, f"INSERT INTO {table} DEFAULT VALUES")
    refused(stage, who, f"DELETE FROM {table}")
    refused(stage, who, f"TRUNCATE {table} CASCADE")
    refused(stage, who, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    refused(stage, who, f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    refused(stage, who, f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    refused(
        stage,
        who,
        f"CREATE TRIGGER mine BEFORE UPDATE ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    )


@pytest.mark.parametrize("person", NOT_SERVICE)
@pytest.mark.parametrize("table", TABLES)
def test_only_the_editable_columns_can_be_updated(stage: Stage, table: str, person: str) -> None:
    editable = TABLES[table].updates if person != "anon" else frozenset()
    for column in columns(stage, table):
        statement = f"UPDATE {table} SET {column} = {column}"
        if column in editable:
            assert stage.touched(PEOPLE[person], statement) == (4 if person == "owner" else 0)
        else:
            refused(stage, PEOPLE[person], f"UPDATE {table} SET {column} = DEFAULT")
            refused(stage, PEOPLE[person], f"UPDATE {table} SET {column} = DEFAULT WHERE {column} IS NULL")


@pytest.mark.parametrize("table", TABLES)
def test_the_service_role_sees_all_and_owns_nothing(stage: Stage, table: str) -> None:
    everything = stage.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert stage.one(None, f"SELECT count(*) FROM {table}") == everything
    assert everything != (0,), "the stage needs a row of every table"
    for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"):
        (has,) = stage.one(None, f"SELECT has_table_privilege('{table}', '{right}')")
        assert has == (right in TABLES[table].service), right
    refused(stage, None, f"TRUNCATE {table} CASCADE")
    refused(stage, None, f"ALTER TABLE {table} DISABLE TRIGGER ALL")


@pytest.mark.parametrize("person", NOT_SERVICE)
def test_sequences_are_nobodys(stage: Stage, person: str) -> None:
    sequences = stage.connection.execute(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND relnamespace IN ('public'::regnamespace, 'rushes'::regnamespace)"
    ).fetchall()
    assert len(sequences) >= 19
    for (sequence,) in sequences:
        refused(stage, PEOPLE[person], f"SELECT nextval('{sequence}')")
        refused(stage, PEOPLE[person], f"SELECT setval('{sequence}', 1)")
        refused(stage, PEOPLE[person], f"SELECT last_value FROM {sequence}")


@pytest.mark.parametrize("person", NOT_SERVICE)
def test_nobody_reads_accounts_or_becomes_somebody_else(stage: Stage, person: str) -> None:
    who = PEOPLE[person]
    refused(stage, who, "SELECT * FROM auth.users")
    refused(stage, who, "CREATE TABLE public.mine (id int)")
    refused(stage, who, "CREATE FUNCTION rushes.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    refused(stage, who, "SET session_replication_role = replica")
