"""Each index is used by the query that it is there for, at 200,000 rows of which 99% are others' private ones."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from rushes.adapters.postgres.filters import job_filter
from rushes.adapters.postgres.migrations import migrate, migrations_directory
from rushes.adapters.postgres.queries import query
from rushes.domain.principal import Principal
from rushes.ports import JobQuery
from tests.integration.feed.plans import Plan, explain, feed_statement
from tests.postgres import in_database, template_database

ME = Principal(user_id=UUID("00000000-0000-4000-8000-000000000001"))
TABLES = ("workflow_jobs", "workflow_job_events", "workflow_job_leases", "uploads", "storage_outbox",
          "caption_datasets", "api_keys")  # fmt: skip


def _fill(url: str) -> None:
    asyncio.run(migrate(url))
    statements = Path(__file__).with_name("many_jobs.sql").read_text()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements.strip().split(";\n\n"):
            connection.execute(statement.encode())
        connection.execute("VACUUM ANALYZE")


@pytest.fixture(scope="module")
def many_url(postgres_server: str) -> str:
    return in_database(postgres_server, template_database(postgres_server, "rushes_many", _fill))


@pytest.fixture
def connection(many_url: str) -> Iterator[psycopg.Connection]:
    """Whatever a test does is undone."""
    with psycopg.connect(many_url, options="-c lock_timeout=60s") as connection:
        yield connection
        connection.rollback()


def become(connection: psycopg.Connection, principal: Principal | None) -> None:
    """As a person; or as the service role, whose policies are also those of a function's owner."""
    role, claims = (principal.role, principal.claims()) if principal else ("service_role", "{}")
    connection.execute(
        "SELECT set_config('role', %s, true), set_config('request.jwt.claims', %s, true)", (role, claims)
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """A statement, and the indexes without which it would be slow."""

    indexes: set[str]
    one_of: frozenset[str] = frozenset()
    name: str = ""  # a query file
    statement: str = ""
    branch: str = ""  # of rushes.feed_rows
    query: JobQuery = field(default_factory=JobQuery)
    params: dict[str, Any] | None = None
    principal: Principal | None = None

    def plan(self, connection: psycopg.Connection) -> Plan:
        text = self.statement or (
            feed_statement(connection, self.branch) if self.branch else query(self.name)
        )
        become(connection, self.principal)
        try:
            return explain(
                connection, text, self.params or {"me": ME.user_id, "filter": job_filter(self.query)}
            )
        finally:
            connection.execute("RESET ROLE")


ID = UUID("019b7785-4200-7000-8000-000000000005")
LEASE = {"owner": "d", "lease_seconds": 30, "limit": 10}
MAY = (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
BY_ID = "workflow_jobs_pkey"
# Two ways into the line of waiting jobs: whole, or for each kind of job.
LINES = frozenset({"workflow_jobs_claim", "workflow_jobs_claim_by_need"})

CASES = {
    "claim": Case(
        name="claim", indexes=set(), one_of=LINES,
        params=LEASE | {"server_id": ID, "depth": 1, "slots": 1, "cold": True, "running_limit": 4, "affinity_seconds": 60},
    ),
    "a server's jobs": Case(  # what rushes.jobs_on counts
        statement="SELECT count(*) FROM public.workflow_job_leases WHERE server_id = %(server_id)s AND occupies_server",
        indexes={"workflow_job_leases_server"}, params={"server_id": ID},
    ),
    "line": Case(
        name="explain_waiting", indexes=set(), one_of=LINES,
        params={"reason": "r", "needs": ["need1", "need4"], "reasons": ["r", None]},
    ),
    "rescue": Case(name="rescue", indexes={"workflow_job_leases_expiry"}, params=LEASE),
    "deadlines": Case(name="expire_deadlines", indexes={"workflow_jobs_deadline"}, params={}),
    "limits": Case(
        name="user_use",
        indexes={"workflow_jobs_waiting", "workflow_jobs_owner"},
        params={"user_id": ME.user_id, "day_bound": UUID("019f7c50-0380-7000-8000-000000000000"),
                "waiting_limit": 100, "day_limit": 500},
    ),
    "replay": Case(
        name="event_since",
        indexes={"workflow_job_events_replay", BY_ID},
        params={"next": "9000000", "open": ["8999990", "8999995"], "read": [0, 7], "limit": 500},
    ),
    "timeline": Case(name="job_timeline", indexes={"workflow_job_events_timeline", BY_ID}, params={"id": ID}, principal=ME),
    "detail": Case(name="job_one", indexes={BY_ID}, params={"id": ID}, principal=ME),
    "outbox": Case(name="outbox_take", indexes={"storage_outbox_due"}, params={"limit": 20}),
    "uploads": Case(name="upload_prune", indexes={"uploads_expiry"}, params={}),
    "retention": Case(
        name="retention_ended", indexes={"workflow_jobs_ended", BY_ID},
        params={"status": "failed", "workflow_type": "img2img", "before": MAY[0], "limit": 200},
    ),
    "retention, which types": Case(
        name="retention_kinds", indexes={"workflow_jobs_ended"}, params={"statuses": ["failed", "cancelled"]}
    ),
    "emptying the trash": Case(
        name="retention_empty", indexes={"workflow_jobs_trash", BY_ID}, params={"user_id": ME.user_id, "limit": 100}
    ),
    "files, type by type": Case(
        name="storage_jobs", indexes={"workflow_jobs_type"},
        params={"workflow_type": "wan-i2v", "after": UUID(int=0), "limit": 50},
    ),
    "old trash": Case(
        name="retention_trash", indexes={"workflow_jobs_discarded", BY_ID}, params={"before": MAY[0], "limit": 200}
    ),
    "expired": Case(
        name="retention_expired", indexes={"workflow_jobs_expiry", BY_ID}, params={"before": MAY[0], "limit": 200}
    ),
    "everyone": Case(branch="everyone", indexes={"workflow_jobs_owner", "workflow_jobs_shared"}),
    "everyone, a type": Case(
        branch="everyone",
        indexes={"workflow_jobs_owner", "workflow_jobs_shared"},
        query=JobQuery(workflow_types=("wan-i2v",)),
    ),
    "everyone, a month": Case(
        branch="everyone",
        indexes={"workflow_jobs_owner", "workflow_jobs_shared"},
        query=JobQuery(created_after=MAY[0], created_before=MAY[1]),
    ),
    "everyone, a rare word": Case(
        branch="everyone", indexes={"workflow_jobs_search"}, query=JobQuery(q="dragonfly -cat")
    ),
    "everyone, a tag": Case(branch="everyone", indexes={"workflow_jobs_tags"}, query=JobQuery(tag="keep")),
    "everyone, one job": Case(
        branch="everyone", indexes={BY_ID, "workflow_jobs_job_id_key"}, query=JobQuery(job_id=str(ID))
    ),
    "mine": Case(branch="mine", indexes={"workflow_jobs_owner"}),
    "mine, some types and statuses": Case(
        branch="mine",
        indexes={"workflow_jobs_owner"},
        query=JobQuery(workflow_types=("img2img", "image-edit"), statuses=("failed", "completed"), after=ID),
    ),
    "mine, a rare word": Case(branch="mine", indexes={"workflow_jobs_search"}, query=JobQuery(q="dragonfly -cat")),
    "my trash": Case(branch="mine", indexes={"workflow_jobs_trash"}, query=JobQuery(trash=True)),
    "all": Case(branch="admin", indexes={BY_ID}),
    "all, deep": Case(branch="admin", indexes={BY_ID}, query=JobQuery(after=ID)),
    "all, a month": Case(branch="admin", indexes={BY_ID}, query=JobQuery(created_after=MAY[0], created_before=MAY[1])),
    "all, a type": Case(
        branch="admin", indexes={"workflow_jobs_type"}, query=JobQuery(workflow_types=("wan-i2v",))
    ),
    "all, a status": Case(
        branch="admin", indexes={"workflow_jobs_status"}, query=JobQuery(statuses=("processing",))
    ),
    "all, a rare word": Case(branch="admin", indexes={"workflow_jobs_search"}, query=JobQuery(q="dragonfly -cat")),
    "all, a phrase": Case(branch="admin", indexes={"workflow_jobs_search"}, query=JobQuery(q='"word77 beside"')),
    "all, a tag": Case(branch="admin", indexes={"workflow_jobs_tags"}, query=JobQuery(tag="keep")),
    **{
        f"{table} of a deleted {column}": Case(
            statement=f"DELETE FROM ONLY public.{table} WHERE {column} = %(gone)s",
            indexes={index},
            params={"gone": ID if column == "job_id" else ME.user_id},
        )
        for table, column, index in (
            ("workflow_jobs", "user_id", "workflow_jobs_owner"),
            ("workflow_job_events", "job_id", "workflow_job_events_timeline"),
            ("uploads", "user_id", "uploads_owner"),
            ("api_keys", "user_id", "api_keys_owner"),
            ("caption_datasets", "user_id", "caption_datasets_owner"),
            ("caption_datasets", "job_id", "caption_datasets_job"),
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_query_stays_on_its_indexes(connection: psycopg.Connection, case: Case) -> None:
    plan = case.plan(connection)
    assert case.indexes <= plan.indexes
    assert not case.one_of or case.one_of & plan.indexes
    assert not plan.read_whole & set(TABLES)
    assert plan.sorted_rows() <= 1000


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_without_its_indexes_a_query_is_slow(connection: psycopg.Connection, case: Case) -> None:
    """Proves that the test above would notice a lost index."""
    connection.execute("SELECT pg_advisory_xact_lock(1)")  # several workers at a time would deadlock
    before = case.plan(connection)
    for index in (case.indexes | case.one_of) - {BY_ID, "workflow_jobs_job_id_key"}:
        connection.execute(sql.SQL("DROP INDEX public.{}").format(sql.Identifier(index)))
    if case.indexes & {BY_ID, "workflow_jobs_job_id_key"}:
        connection.execute("ALTER TABLE public.workflow_jobs DROP CONSTRAINT workflow_jobs_job_id_key")
        connection.execute("ALTER TABLE public.workflow_jobs DROP CONSTRAINT workflow_jobs_pkey CASCADE")
    after = case.plan(connection)
    assert not (case.indexes | case.one_of) & after.indexes
    assert after.cost > 1.5 * before.cost


def test_every_index_is_there_for_a_query() -> None:
    files = [*migrations_directory().glob("*_indexes.sql"), *migrations_directory().glob("*_retention.sql")]
    named = {name for file in files for name in re.findall(r"CREATE INDEX (\w+)", file.read_text())}
    named -= {"idempotency_age", "removed_jobs_age"}  # of tables that hold little here
    used = set().union(*(case.indexes | case.one_of for case in CASES.values()))
    assert named - used == set()


PAGES = {
    "everyone": JobQuery(),
    "mine": JobQuery(scope="mine"),
    "a type": JobQuery(workflow_types=("wan-i2v",)),
    "a rare word": JobQuery(q="dragonfly"),
    "a common word": JobQuery(q="portrait"),
    "mine, a word": JobQuery(scope="mine", q="word200"),
    "a tag": JobQuery(tag="keep"),
    "kind and rating": JobQuery(kinds=("video",), rating_min=3),
    "deep": JobQuery(created_before=MAY[0]),
    "one job": JobQuery(job_id=str(ID)),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_as_a_person_reads_no_table_whole(connection: psycopg.Connection, name: str) -> None:
    page = PAGES[name]
    params = {"filter": job_filter(page), "everyone": page.scope == "all", "most": 50}
    become(connection, ME)
    connection.execute(query("feed_page"), params)
    row = connection.execute(query("feed_page"), params).fetchone()
    assert row
    connection.execute("RESET ROLE")
    whole = connection.execute(
        "SELECT relname FROM pg_stat_xact_user_tables WHERE seq_scan > 0 AND relname = ANY (%s)",
        (list(TABLES),),
    ).fetchall()
    assert whole == []


def test_the_statistics_would_tell(connection: psycopg.Connection) -> None:
    connection.execute("SELECT count(prompt_text) FROM public.workflow_jobs")
    row = connection.execute(
        "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'workflow_jobs'"
    ).fetchone()
    assert row == (1,)


def test_a_page_is_quick(connection: psycopg.Connection) -> None:
    """Far above what it takes (2 ms), far below what a lost index costs (over 100 ms)."""
    page = JobQuery()
    params = {"filter": job_filter(page), "everyone": True, "most": 50}
    become(connection, ME)
    took = []
    for _ in range(10):
        started = monotonic()
        connection.execute(query("feed_page"), params)
        took.append(timedelta(seconds=monotonic() - started))
    assert min(took) < timedelta(milliseconds=40)
