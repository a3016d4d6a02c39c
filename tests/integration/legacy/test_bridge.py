"""The bridge: the feed shows old and new together, to whom it may, and each row once."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from rushes.adapters.postgres.legacy import open_legacy
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.reader import PostgresJobReader
from rushes.domain.errors import Conflict
from rushes.domain.principal import Principal
from rushes.legacy.bridge import Bridge, bridge, remove
from rushes.ports import JobQuery
from tests.integration.legacy.steps import cut, passed, rows, take_all, wait

ADMIN = Principal(user_id=UUID(int=1), is_admin=True)
PERSON = Principal(user_id=UUID(int=2))
ANON = Principal()
PAGE = "SELECT * FROM unified_workflow_jobs ORDER BY created_at DESC LIMIT 50"
OURS = "INSERT INTO workflow_jobs (id, job_id, workflow_type, workflow_name, visibility) VALUES (%s, 'ours', 'img2img', 'x', 'private')"


@pytest.fixture
def bridged_url(sample_url: str) -> str:
    for person in (ADMIN, PERSON):
        rows(sample_url, "INSERT INTO auth.users (id) VALUES (%s)", person.user_id)
    build(sample_url)
    return sample_url


def build(url: str, **options: Any) -> Bridge:
    async def run() -> Bridge:
        async with open_legacy(url) as database:
            return await bridge(database, **options)

    return wait(run())


def feed(url: str, who: Principal, **query: Any) -> list[dict[str, Any]]:
    async def run() -> bytes:
        async with Database(url, max_size=2) as database:
            return (await PostgresJobReader(database).page(who, JobQuery(**query))).data

    return list(json.loads(wait(run())))


def counts(url: str, who: Principal, **query: Any) -> dict[str, Any]:
    async def run() -> bytes:
        async with Database(url, max_size=2) as database:
            return await PostgresJobReader(database).counts(who, JobQuery(**query))

    return dict(json.loads(wait(run())))


def one(url: str, who: Principal, job: str) -> dict[str, Any] | None:
    async def run() -> bytes | None:
        async with Database(url, max_size=2) as database:
            return await PostgresJobReader(database).one(who, UUID(job))

    found = wait(run())
    return json.loads(found) if found else None


def unified(url: str, role: str, who: Principal | None = None) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        claims = who.claims() if who else json.dumps({"role": role})
        connection.execute(
            "SELECT set_config('role', %s, true), set_config('request.jwt.claims', %s, true)", (role, claims)
        )
        return connection.execute(
            "SELECT source_table, legacy_id, user_ip FROM unified_workflow_jobs"
        ).fetchall()


def without_times(card: dict[str, Any]) -> dict[str, Any]:
    """`available_at` is about running, and what was brought over when is no part of the job."""
    return {name: value for name, value in card.items() if name not in {"available_at", "version"}}


def test_the_feed_is_the_same_before_while_and_after_moving(bridged_url: str) -> None:
    rows(bridged_url, OURS, UUID(int=7 << 76))
    before = feed(bridged_url, ADMIN)
    assert len(before) == 29
    assert [card["id"] for card in before] == sorted((card["id"] for card in before), reverse=True)
    told = counts(bridged_url, ADMIN)
    assert told["total"] == {"count": 29, "more": False}
    details = {card["id"]: one(bridged_url, ADMIN, card["id"]) for card in before}

    # half of it is moved
    with psycopg.connect(bridged_url) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(
            "SELECT rushes_legacy.take_in(array_agg(ROW('multitalk_jobs', job_id, to_jsonb(t))::rushes_legacy.source_row))"
            " FROM multitalk_jobs AS t WHERE job_id LIKE '%1'"
        )
    half = feed(bridged_url, ADMIN)
    assert [card["id"] for card in half] == [card["id"] for card in before]

    take_all(bridged_url)
    after = feed(bridged_url, ADMIN)
    assert [without_times(card) for card in after] == [without_times(card) for card in before]
    assert counts(bridged_url, ADMIN) == told
    for card in after:
        detail, was = one(bridged_url, ADMIN, card["id"]), details[card["id"]]
        assert detail is not None
        assert was is not None
        assert without_times(detail) == without_times(was)


def test_rows_without_an_owner_are_for_administrators(bridged_url: str) -> None:
    assert (
        feed(bridged_url, PERSON) == feed(bridged_url, ANON) == feed(bridged_url, ADMIN, scope="mine") == []
    )
    old = feed(bridged_url, ADMIN)[0]["id"]
    assert one(bridged_url, PERSON, old) is None
    assert one(bridged_url, ANON, old) is None
    assert len(unified(bridged_url, "service_role")) == 28
    assert len(unified(bridged_url, "authenticated", ADMIN)) == 28
    assert unified(bridged_url, "authenticated", PERSON) == []
    assert unified(bridged_url, "anon") == []


def test_unless_the_operator_makes_them_public(bridged_url: str) -> None:
    build(bridged_url, visibility="public")
    for who in (ADMIN, PERSON, ANON):
        assert len(feed(bridged_url, who)) == 28
    shown = unified(bridged_url, "anon")
    assert len(shown) == 28
    assert {ip for _, _, ip in shown} == {None}  # what is hidden stays it
    old = one(bridged_url, ANON, feed(bridged_url, ANON)[0]["id"])
    assert old is not None
    assert "legacy_row" not in old
    assert feed(bridged_url, PERSON, scope="mine") == []


def test_what_phase_1_gave_an_owner_is_theirs(bridged_url: str) -> None:
    rows(bridged_url, "ALTER TABLE multitalk_jobs ADD COLUMN user_id uuid")
    rows(bridged_url, "UPDATE multitalk_jobs SET user_id = %s WHERE job_id = 'prompt-0016'", PERSON.user_id)
    build(bridged_url)
    for scope in ("mine", "all"):
        assert [card["job_id"] for card in feed(bridged_url, PERSON, scope=scope)] == ["prompt-0016"]
    assert [key for _, key, _ in unified(bridged_url, "authenticated", PERSON)] == ["prompt-0016"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"workflow_types": ("img2img",)}, 2),
        ({"statuses": ("failed",)}, 11),
        ({"q": "starry"}, 1),
        ({"job_id": "prompt-0016"}, 1),
        ({"kinds": ("text",)}, 1),
        ({"trash": True}, 0),
        ({"tag": "x"}, 0),
        ({"limit": 7}, 7),
    ],
)
def test_filters(bridged_url: str, query: dict[str, Any], found: int) -> None:
    before = feed(bridged_url, ADMIN, **query)
    assert len(before) == found
    take_all(bridged_url)
    assert [card["id"] for card in feed(bridged_url, ADMIN, **query)] == [card["id"] for card in before]


def test_pages_go_on_where_they_ended(bridged_url: str) -> None:
    everything, seen, after = [card["id"] for card in feed(bridged_url, ADMIN)], [], None
    for _ in range(10):
        page = [card["id"] for card in feed(bridged_url, ADMIN, limit=5, after=after)]
        if not page:
            break
        seen += page
        after = UUID(page[-1])
    assert seen == everything


def test_a_page_is_merged_from_indexes(bridged_url: str) -> None:
    rows(
        bridged_url,
        "INSERT INTO multitalk_jobs SELECT 'many-' || n, 'completed', now() - n * interval '1 min', NULL, 'x.mp4', NULL, NULL, NULL,"
        " 1, 1, false, 'http://c', NULL, NULL, now() - n * interval '1 min' FROM generate_series(1, 20000) AS n",
    )
    rows(bridged_url, "ANALYZE multitalk_jobs")
    for statement in (
        PAGE,
        "SELECT * FROM rushes_legacy.bridge WHERE id < 'ffffffff-ffff-ffff-ffff-ffffffffffff' ORDER BY id DESC LIMIT 50",
    ):
        plan = rows(bridged_url, f"EXPLAIN (ANALYZE, FORMAT json) {statement}")[0]["QUERY PLAN"][0]
        text = json.dumps(plan)
        assert "Merge Append" in text
        assert "legacy_bridge_multitalk_jobs" in text
        assert most_rows(plan["Plan"]) < 1000, "a page reads a page, whatever the size of the table"


def test_once_all_is_moved_no_page_looks_for_what_is_not(bridged_url: str) -> None:
    rows(
        bridged_url,
        "INSERT INTO edited_images (source_image_url, prompt, created_at) "
        "SELECT '', 'p', now() - n * interval '1 min' FROM generate_series(1, 5000) AS n",
    )
    take_all(bridged_url)
    rows(bridged_url, "ANALYZE")
    new = "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url) VALUES ('new', 'processing', 1, 1, 'c')"
    rows(bridged_url, new)
    rows(bridged_url, "INSERT INTO datasets (name, character_trigger, settings) VALUES ('set', '', '{}')")
    for statement in (PAGE, "SELECT * FROM rushes_legacy.bridge ORDER BY id DESC LIMIT 50"):
        plan = rows(bridged_url, f"EXPLAIN (ANALYZE, FORMAT json) {statement}")[0]["QUERY PLAN"][0]["Plan"]
        assert {
            node["Actual Loops"] for node in nodes(plan) if node.get("Relation Name") == "edited_images"
        } == {0}
        assert "new" in {row["legacy_id"] for row in rows(bridged_url, statement)}
    shown = feed(bridged_url, ADMIN)
    assert {card["workflow_type"] for card in shown[:2]} == {"wan-i2v", "character-caption"}
    # where nobody notes what changes, it is looked for
    rows(bridged_url, "DELETE FROM rushes_legacy.changes")
    assert len(rows(bridged_url, "SELECT 1 FROM rushes_legacy.bridge")) == 0
    rows(bridged_url, "ALTER TABLE multitalk_jobs DISABLE TRIGGER rushes_note_truncate")
    assert rows(bridged_url, "SELECT legacy_id FROM rushes_legacy.bridge") == [{"legacy_id": "new"}]


def test_a_dataset_without_a_time_has_the_id_that_it_will_have(bridged_url: str) -> None:
    for name, times in (
        ("by an item", ["2024-05-05", "-infinity", None, "2024-04-04"]),
        ("by none", [None]),
        ("empty", []),
    ):
        [made] = rows(
            bridged_url,
            "INSERT INTO datasets (name, character_trigger, settings, created_at) VALUES (%s, '', '{}', NULL) RETURNING id",
            name,
        )
        for time in times:
            rows(
                bridged_url,
                "INSERT INTO data (dataset_id, image_url, image_name, created_at) VALUES (%s, '', 'x', %s)",
                made["id"],
                time,
            )
    rows(bridged_url, "UPDATE datasets SET created_at = 'infinity' WHERE name = 'empty'")
    before = feed(bridged_url, ADMIN)
    listed = "SELECT id, created_at, legacy_id FROM unified_workflow_jobs ORDER BY id"
    unified_before = rows(bridged_url, listed)
    assert len(before) == 31
    assert all(one(bridged_url, ADMIN, card["id"]) for card in before)
    take_all(bridged_url)
    assert [card["id"] for card in feed(bridged_url, ADMIN)] == [card["id"] for card in before]
    assert rows(bridged_url, listed) == unified_before


def test_a_value_that_json_cannot_hold_fails_no_page(sample_url: str) -> None:
    rows(sample_url, "INSERT INTO auth.users (id) VALUES (%s)", ADMIN.user_id)
    rows(sample_url, "ALTER TABLE edited_images ADD notes json")
    rows(sample_url, "ALTER TABLE data ADD notes json")
    rows(sample_url, r"""UPDATE data SET notes = '"\u0000"'""")
    rows(sample_url, r"""UPDATE edited_images SET notes = '{"a": "\u0000"}'""")
    build(sample_url)
    before = feed(sample_url, ADMIN)
    assert len(before) == len(rows(sample_url, PAGE)) == 28
    take_all(sample_url)
    after = feed(sample_url, ADMIN)
    assert [without_times(card) for card in after] == [without_times(card) for card in before]


def test_a_page_is_merged_while_half_is_moved(bridged_url: str) -> None:
    rows(
        bridged_url,
        "INSERT INTO multitalk_jobs SELECT 'many-' || n, 'completed', now() - n * interval '1 min', NULL, 'x.mp4', NULL, NULL, NULL,"
        " 1, 1, false, 'http://c', NULL, NULL, now() - n * interval '1 min' FROM generate_series(1, 6000) AS n",
    )
    with psycopg.connect(bridged_url) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(
            "SELECT rushes_legacy.take_in(array_agg(ROW('multitalk_jobs', job_id, to_jsonb(t))::rushes_legacy.source_row))"
            " FROM multitalk_jobs AS t WHERE job_id LIKE '%1'"
        )
    rows(bridged_url, "ANALYZE")
    statement = "SELECT * FROM rushes_legacy.bridge ORDER BY id DESC LIMIT 50"
    plan = rows(bridged_url, f"EXPLAIN (ANALYZE, FORMAT json) {statement}")[0]["QUERY PLAN"][0]["Plan"]
    assert most_rows(plan) < 300
    assert not {row["legacy_id"][-1] for row in rows(bridged_url, statement)} & {"1"}


@pytest.mark.parametrize("kind", ["VIEW", "TABLE"])
def test_what_somebody_made_under_its_name_stays(sample_url: str, kind: str) -> None:
    rows(sample_url, f"CREATE {kind} unified_workflow_jobs AS SELECT job_id FROM multitalk_jobs")
    with pytest.raises(Conflict, match=f"ALTER {kind} public.unified_workflow_jobs RENAME"):
        build(sample_url)
    take_away(sample_url)
    take_all(sample_url)
    if kind == "VIEW":
        with pytest.raises(Conflict, match="unified_workflow_jobs reads multitalk_jobs"):
            cut(sample_url)
    cut(sample_url, accept=frozenset({"all"}))
    assert len(rows(sample_url, "SELECT * FROM unified_workflow_jobs")) == 16


@pytest.mark.parametrize(
    "change",
    [
        "ALTER edited_images.created_at TYPE timestamp",
        "ALTER multitalk_jobs.created_at TYPE text",
        "ALTER multitalk_jobs.created_at TYPE date",
        "DROP multitalk_jobs.created_at",
        "DROP datasets.created_at",
        "DROP data.created_at",
    ],
)
def test_columns_of_somebodys_own(sample_url: str, change: str) -> None:
    verb, column, *kind = change.split(" ", 2)
    table, name = column.split(".")
    rows(sample_url, "INSERT INTO auth.users (id) VALUES (%s)", ADMIN.user_id)
    if kind:
        rows(sample_url, f"ALTER TABLE {table} ALTER {name} DROP DEFAULT")
    rows(sample_url, f"ALTER TABLE {table} {verb} {name} {' '.join(kind)}")
    if "text" in change:
        rows(sample_url, "UPDATE multitalk_jobs SET created_at = 'yesterday' WHERE job_id = 'prompt-0016'")
    build(sample_url)
    before = [card["id"] for card in feed(sample_url, ADMIN)]
    assert len(before) == len(rows(sample_url, PAGE)) == 28
    take_all(sample_url)
    assert [card["id"] for card in feed(sample_url, ADMIN)] == before


def test_a_view_where_a_table_is_expected_stops_it(sample_url: str) -> None:
    rows(sample_url, "ALTER TABLE edited_images RENAME TO real_ones")
    rows(sample_url, "CREATE VIEW edited_images AS SELECT * FROM real_ones")
    with pytest.raises(Conflict, match=r"public\.edited_images is a view that somebody made"):
        build(sample_url)
    with pytest.raises(Conflict, match=r"public\.edited_images is a view that somebody made"):
        take_all(sample_url)
    assert rows(sample_url, "SELECT 1 FROM workflow_jobs") == []


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes(each)


def most_rows(plan: dict[str, Any]) -> float:
    """Of any node, over its loops."""
    return max(float(node["Actual Rows"] * node["Actual Loops"]) for node in nodes(plan))


def test_built_again_removed_and_cut_over(bridged_url: str) -> None:
    assert build(bridged_url).indexes == []
    take_all(bridged_url)
    passed(bridged_url)
    before = sorted(unified(bridged_url, "service_role"), key=str)
    cut(bridged_url)
    assert len(before) == len(unified(bridged_url, "service_role")) == 28
    assert rows(bridged_url, "SELECT 1 FROM pg_views WHERE viewname = 'bridge'") == []
    with pytest.raises(Conflict, match="Already cut over"):
        build(bridged_url)


def take_away(url: str) -> None:
    async def run() -> None:
        async with open_legacy(url) as database:
            await remove(database)

    wait(run())


def test_removed(bridged_url: str) -> None:
    take_away(bridged_url)
    assert feed(bridged_url, ADMIN) == []
    assert (
        rows(
            bridged_url,
            "SELECT 1 FROM pg_class WHERE relname LIKE 'legacy_bridge%%' OR relname LIKE 'unified%%'",
        )
        == []
    )


def test_a_dry_run_changes_nothing(sample_url: str) -> None:
    planned = build(sample_url, dry_run=True)
    assert len(planned.views) == 2
    assert rows(sample_url, "SELECT 1 FROM pg_class WHERE relname LIKE 'legacy_bridge%%'") == []


def test_old_rows_that_change_are_shown_as_they_are_now(bridged_url: str) -> None:
    rows(
        bridged_url,
        "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url) VALUES ('new', 'processing', 1, 1, 'c')",
    )
    assert feed(bridged_url, ADMIN)[0]["status"] == "processing"
    rows(
        bridged_url,
        "UPDATE multitalk_jobs SET status = 'completed', filename = 'wan_1.mp4' WHERE job_id = 'new'",
    )
    assert feed(bridged_url, ADMIN)[0]["status"] == "completed"
