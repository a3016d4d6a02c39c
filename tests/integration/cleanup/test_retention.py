"""What is past its time goes, once, with its files; all else stays."""

import asyncio
from datetime import UTC, datetime, timedelta

from rushes.domain.keys import job_key
from rushes.services.outbox import OutboxWork
from tests.integration.app.stand import Stand
from tests.integration.cleanup.planted import job, jobs, keys, person, put


def retain(app: Stand) -> dict[str, int]:
    return app.do(app.at.retention.once)


def empty_outbox(app: Stand) -> int:
    return app.do(OutboxWork(outbox=app.at.outbox, storage=app.at.storage).once)


def test_what_goes_and_what_stays(quiet: Stand):
    old = datetime.now(UTC) - timedelta(days=31)
    stays = [
        job(quiet, "completed", days=99),
        job(quiet, "failed", days=6.9),
        job(quiet, "cancelled", days=6.9),
        job(quiet, "pending", days=400),
        job(quiet, "processing", days=400),
        job(quiet, "failed", days=400, origin="legacy"),
        job(quiet, "failed", days=400, workflow_type="brief"),  # its manifest says: never
        job(quiet, "completed", days=1.9, workflow_type="brief"),
        job(quiet, "failed", days=400, workflow_type="broken"),  # nobody knows what its manifest says
        job(quiet, "failed", days=20, deleted_at=datetime.now(UTC) - timedelta(days=29)),  # can be restored
        job(quiet, "processing", days=400, deleted_at=old),
        job(quiet, "failed", days=400, deleted_at=old, origin="legacy"),
        job(quiet, "failed", days=400, expires_at=datetime.now(UTC) + timedelta(days=1)),
        job(quiet, "failed", days=400, expires_at="infinity"),
        job(
            quiet, "failed", days=400, updated_at=datetime.now(UTC)
        ),  # somebody has just restored or rated it
        job(quiet, "pending", days=400, expires_at=old),
    ]
    goes = [
        job(quiet, "completed", days=101),
        job(quiet, "failed", days=7.1),
        job(quiet, "cancelled", days=7.1),
        job(quiet, "completed", days=2.1, workflow_type="brief"),
        job(quiet, "cancelled", days=7.1, workflow_type="brief"),
        job(quiet, "failed", days=8, workflow_type="unheard-of"),
        job(quiet, "completed", days=40, deleted_at=old),
        job(quiet, "completed", days=1, expires_at=old),
    ]
    assert jobs(quiet) == {*stays, *goes}
    found = retain(quiet)
    assert jobs(quiet) == set(stays)
    assert (found["jobs"], found["trash"]) == (7, 1)
    again = retain(quiet)
    assert (again["jobs"], again["trash"]) == (0, 0)


def test_files_go_with_their_rows(quiet: Stand):
    gone, stays = job(quiet, "failed", days=8), job(quiet, "failed", days=1)
    put(quiet, job_key("sleep", gone, "input.png"))
    put(quiet, job_key("sleep", gone, "more.png"))
    kept = put(quiet, job_key("sleep", stays, "input.png"))
    retain(quiet)
    empty_outbox(quiet)
    assert keys(quiet) == [kept]


def test_more_than_a_batch_by_several_at_once_goes_once(quiet: Stand):
    owner = person(quiet)
    for _ in range(450):
        job(quiet, "failed", days=8, user_id=owner)

    async def together() -> list[dict[str, int]]:
        return await asyncio.gather(*(quiet.at.retention.once() for _ in range(4)))

    found = quiet.do(together)
    assert sum(one["jobs"] for one in found) == 450
    assert jobs(quiet) == set()
    (rows,) = quiet.sql("select count(*), count(distinct target) from public.storage_outbox")
    assert rows == (450, 450)


def test_a_round_is_one_processes(quiet: Stand):
    async def together() -> list[bool]:
        return await asyncio.gather(*(quiet.at.retention.when_due() for _ in range(5)))

    assert sorted(quiet.do(together)) == [False] * 4 + [True]
    assert quiet.do(quiet.at.retention.when_due) is False
    quiet.sql("update rushes.chores set begun_at = now() - interval '11 minutes'")
    assert quiet.do(quiet.at.retention.when_due) is True
    ((ended,),) = quiet.sql("select ended_at >= begun_at from rushes.chores where name = 'retention'")
    assert ended


def test_what_nobody_asks_for_any_more(quiet: Stand):
    who = person(quiet)
    used = job(quiet, "completed", days=3)
    for age in ("25 hours", "23 hours"):
        quiet.sql(
            f"insert into public.idempotency (user_id, key, body_sha256, created_at) values (%s, '{age}', '', now() - interval '{age}')",
            who,
        )
        quiet.sql(
            "insert into public.uploads (id, user_id, filename, key, size_bytes, expires_at)"
            f" values (gen_random_uuid(), %s, 'a', '{age}', 1, now() + interval '24 hours' - interval '{age}')",
            who,
        )
        quiet.sql(
            f"insert into public.comfy_node_catalogs values ('{age}', '{{}}', now() - interval '{age}')"
        )
        quiet.sql(
            f"insert into rushes.ended_sessions values ('{age}', %s, now() + interval '1 day' - interval '{age}')",
            who,
        )
    quiet.sql("insert into public.comfy_node_catalogs values ('used', '{}', now() - interval '9 days')")
    quiet.sql(
        "insert into public.comfy_servers (url, name, catalog) values ('http://gpu:8188', 'gpu', 'used')"
    )
    quiet.sql(
        "insert into public.dispatchers (id, host, seen_at) values ('dead', 'h', now() - interval '2 hours'), ('alive', 'h', now())"
    )
    quiet.sql("insert into rushes.rates values ('empty', now() - interval '2 hours'), ('full', now())")
    quiet.sql(
        "insert into public.workflow_requirements (digest, workflow_type, node_classes, created_at) values"
        " ('old', 'forgotten', '{}', now() - interval '91 days'), ('new', 'forgotten', '{}', now()),"
        " ('used', 'sleep', '{}', now() - interval '91 days')"
    )
    quiet.sql(
        "insert into public.workflow_job_events (job_id, kind, at) values (%s, 'status', now() - interval '91 days'),"
        " (%s, 'status', now() - interval '89 days')", used, used,
    )  # fmt: skip
    quiet.sql(
        "insert into rushes.removed_jobs (job_id, visibility, at) values (%s, 'public', now() - interval '91 days')",
        used,
    )
    found = retain(quiet)
    for what in (
        "keys",
        "uploads",
        "catalogs",
        "sessions",
        "dispatchers",
        "rates",
        "needs",
        "events",
        "words",
    ):
        assert found[what] == 1, what
    for table, column, left in (
        ("public.idempotency", "key", ["23 hours"]),
        ("public.uploads", "key", ["23 hours"]),
        ("public.comfy_node_catalogs", "digest", ["23 hours", "used"]),
        ("rushes.ended_sessions", "id", ["23 hours"]),
        ("public.dispatchers", "id", ["alive"]),
        ("rushes.rates", "key", ["full"]),
        ("public.workflow_requirements", "digest", ["new", "used"]),
    ):
        assert quiet.sql(f"select {column} from {table} order by 1") == [(one,) for one in left], table
    assert quiet.sql("select count(*) from public.workflow_job_events") == [(1,)]
