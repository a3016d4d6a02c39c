"""After the cut-over the old app works on views, and can't tell."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from rushes.domain.errors import Conflict, InvalidRequest
from tests.integration.legacy.old_app import READS, running, tell
from tests.integration.legacy.steps import TABLES, back, contents, cut, passed, rows, take_all, verified
from tests.postgres import drop_database, fresh_database

INSERT = "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url) VALUES (%s, 'submitted', 1, 2, 'http://c/')"


@pytest.fixture
def twin_url(postgres_server: str, sample_template: str) -> Iterator[str]:
    """The same old database, which never migrates."""
    url = fresh_database(postgres_server, template=sample_template)
    yield url
    drop_database(url)


@pytest.fixture
def cut_url(sample_url: str) -> str:
    """The sample, cut over."""
    take_all(sample_url)
    cut(sample_url)
    return sample_url


def test_the_old_app_reads_and_writes_as_before_and_so_it_does_after_a_rollback(
    sample_url: str, twin_url: str
) -> None:
    before = [rows(sample_url, statement) for statement in READS]
    take_all(sample_url)
    done = cut(sample_url)
    assert done.locked_seconds < 1
    assert [rows(sample_url, statement) for statement in READS] == before

    there, here = tell(twin_url, 1), tell(sample_url, 1)
    for mine, its in zip(here.lines, there.lines, strict=True):
        assert mine == its
    assert contents(sample_url, here) == contents(twin_url, there)
    assert verified(sample_url).differences == []
    carried = back(sample_url)
    assert carried.locked_seconds < 1
    assert {
        row["relkind"]
        for row in rows(sample_url, "SELECT relkind FROM pg_class WHERE oid = 'data'::regclass")
    } == {"r"}
    there, here = tell(twin_url, 2, told=there), tell(sample_url, 2, told=here)
    assert here.lines == there.lines
    assert contents(sample_url, here) == contents(twin_url, there)
    take_all(sample_url)
    assert verified(sample_url).differences == []


def test_cut_over_and_back_under_load_costs_nobody_an_error(sample_url: str) -> None:
    take_all(sample_url)
    with running(sample_url, rate=80) as load:
        poll(lambda: load.latencies)
        cut(sample_url)
        poll(lambda: len(load.finished) > 8)
        back(sample_url)
        poll(lambda: len(load.finished) > 12)
    assert load.errors == []
    assert load.surprises == []
    assert load.slowest < 2
    for key, row in load.finished.items():
        name, column = ("multitalk_jobs", "job_id") if "job_id" in row else ("edited_images", "id")
        assert rows(sample_url, f"SELECT * FROM {name} WHERE {column} = %s", key) == [row]


def poll(ready: object, seconds: float = 20) -> None:
    assert callable(ready)
    stop = threading.Event()
    for _ in range(int(seconds * 50)):
        if ready():
            return
        stop.wait(0.02)
    raise AssertionError("it took too long")


def test_what_is_written_becomes_a_job_by_the_rules(cut_url: str) -> None:
    with psycopg.connect(cut_url, autocommit=True) as app:
        app.execute(INSERT, ("new",))
        assert job(cut_url, "new") == ("pending", "wan-i2v", "http://c", None, None)
        app.execute("UPDATE multitalk_jobs SET status = 'processing' WHERE job_id = 'new'")
        app.execute(
            "UPDATE multitalk_jobs SET status = 'error', timestamp_completed = timestamp_submitted + interval '7.9 s',"
            " filename = 'wan_1.mp4', error_message = 'Error: no' WHERE job_id = 'new'"
        )
        assert job(cut_url, "new") == ("failed", "wan-i2v", "http://c", 7, "no")
        app.execute("DELETE FROM multitalk_jobs WHERE job_id = 'new'")
        assert rows(cut_url, "SELECT id FROM workflow_jobs WHERE legacy_id = 'new'") == []


def job(url: str, key: str) -> tuple[object, ...]:
    [row] = rows(
        url,
        "SELECT status, workflow_type, comfy_url, processing_time_seconds, error_message FROM workflow_jobs"
        " WHERE legacy_table = 'multitalk_jobs' AND legacy_id = %s AND origin = 'legacy'",
        key,
    )
    return tuple(row.values())


def test_what_never_ends_is_called_failed_by_the_next_migrate(cut_url: str) -> None:
    rows(cut_url, INSERT, "stays")
    rows(cut_url, INSERT, "hangs")
    rows(cut_url, "UPDATE multitalk_jobs SET created_at = now() - interval '2 days' WHERE job_id = 'hangs'")
    before = rows(cut_url, "SELECT * FROM multitalk_jobs ORDER BY job_id")
    take_all(cut_url)
    found = rows(
        cut_url,
        "SELECT legacy_id, status, error_code FROM workflow_jobs WHERE legacy_id IN ('stays', 'hangs')",
    )
    assert {row["legacy_id"]: (row["status"], row["error_code"]) for row in found} == {
        "stays": ("pending", None),
        "hangs": ("failed", "legacy_stale"),
    }
    assert rows(cut_url, "SELECT * FROM multitalk_jobs ORDER BY job_id") == before
    assert verified(cut_url).differences == []


def test_two_rows_of_one_prompt_id_lose_nothing(cut_url: str) -> None:
    update = "UPDATE style_transfers SET prompt = %s WHERE id = %s"
    ids = [f"51000000-0000-4000-8000-00000000000{n}" for n in (3, 4)]
    rows(cut_url, "UPDATE style_transfers SET comfyui_prompt_id = 'one' WHERE id = ANY (%s::uuid[])", ids)
    with psycopg.connect(cut_url) as first, psycopg.connect(cut_url, autocommit=True) as second:
        first.execute(update, ("first", ids[0]))
        waiting = threading.Thread(target=second.execute, args=(update, ("second", ids[1])))
        waiting.start()
        poll(lambda: rows(cut_url, "SELECT 1 FROM pg_locks WHERE NOT granted"))
        first.commit()
        waiting.join(20)
    found = rows(cut_url, "SELECT prompt FROM style_transfers WHERE id = ANY (%s::uuid[]) ORDER BY id", ids)
    assert [row["prompt"] for row in found] == ["first", "second"]
    assert verified(cut_url).differences == []


def test_only_old_rows_are_shown(cut_url: str) -> None:
    rows(
        cut_url,
        "INSERT INTO workflow_jobs (id, job_id, workflow_type, workflow_name) VALUES (gen_random_uuid(), 'ours', 'img2img', 'x')",
    )
    assert rows(cut_url, "SELECT job_id FROM multitalk_jobs WHERE job_id = 'ours'") == []
    assert len(rows(cut_url, "SELECT job_id FROM multitalk_jobs")) == 16


def test_two_writers_of_one_row_lose_nothing(cut_url: str) -> None:
    """The second one looked at the row before the first one's change."""
    key = "prompt-0016"
    with psycopg.connect(cut_url) as first, psycopg.connect(cut_url, autocommit=True) as second:
        first.execute("UPDATE multitalk_jobs SET filename = 'x.mp4' WHERE job_id = %s", (key,))
        waiting = threading.Thread(
            target=second.execute, args=("UPDATE multitalk_jobs SET width = 99 WHERE job_id = %s", (key,))
        )
        waiting.start()
        poll(lambda: rows(cut_url, "SELECT 1 FROM pg_locks WHERE NOT granted"))
        first.commit()
        waiting.join(20)
    [row] = rows(cut_url, "SELECT filename, width FROM multitalk_jobs WHERE job_id = %s", key)
    assert row == {"filename": "x.mp4", "width": 99}


def test_two_writers_of_one_dataset_lose_nothing(cut_url: str) -> None:
    with psycopg.connect(cut_url) as first, psycopg.connect(cut_url, autocommit=True) as second:
        first.execute("UPDATE data SET caption = 'one' WHERE image_name = '1.png'")
        waiting = threading.Thread(
            target=second.execute, args=("UPDATE data SET caption = 'two' WHERE image_name = '2.png'",)
        )
        waiting.start()
        poll(lambda: rows(cut_url, "SELECT 1 FROM pg_locks WHERE NOT granted"))
        first.commit()
        waiting.join(20)
    [row] = rows(
        cut_url, "SELECT outputs -> 'texts' AS texts FROM workflow_jobs WHERE legacy_id LIKE 'da%%01'"
    )
    assert [text["text"] for text in row["texts"]] == ["one", "two", "h3r0 walks"]
    items = rows(
        cut_url, "SELECT legacy_row ->> 'image_name' AS n FROM caption_dataset_items ORDER BY position"
    )
    assert [item["n"] for item in items] == ["1.png", "2.png", "10.png", "mi foto (1).png"]


def test_two_that_insert_the_same_key_are_told_apart(cut_url: str) -> None:
    refused: list[str | None] = []

    def insert_too() -> None:
        with psycopg.connect(cut_url, autocommit=True) as second:
            try:
                second.execute(INSERT, ("same",))
            except psycopg.errors.UniqueViolation as error:
                refused.append(error.diag.constraint_name)

    with psycopg.connect(cut_url) as first:
        first.execute(INSERT, ("same",))
        waiting = threading.Thread(target=insert_too)
        waiting.start()
        poll(lambda: rows(cut_url, "SELECT 1 FROM pg_locks WHERE NOT granted"))
        first.commit()
        waiting.join(20)
    assert refused == ["multitalk_jobs_pkey"]


def test_many_items_at_once_are_one_change_of_their_dataset(cut_url: str) -> None:
    with psycopg.connect(cut_url) as app:
        app.execute(
            "INSERT INTO data (dataset_id, image_url, image_name) SELECT id, '', n || '.png' FROM datasets,"
            " generate_series(1, 500) AS n WHERE name = 'Empty'"
        )
        assert app.execute("SELECT count(*) FROM data").fetchone() == (504,)
    [row] = rows(
        cut_url,
        "SELECT jsonb_array_length(inputs -> 'images') AS n FROM workflow_jobs WHERE legacy_id LIKE 'da%%02'",
    )
    assert row == {"n": 500}
    assert rows(cut_url, "SELECT * FROM rushes_legacy.unsettled") == []


def test_who_may_use_the_views(cut_url: str) -> None:
    with psycopg.connect(cut_url) as app:
        for role, allowed in (("service_role", True), ("authenticated", False), ("anon", False)):
            for statement in (
                "SELECT * FROM multitalk_jobs",
                "UPDATE multitalk_jobs SET width = 1",
                "DELETE FROM data",
            ):
                with app.transaction(force_rollback=True):
                    app.execute(f"SET LOCAL ROLE {role}".encode())
                    if allowed:
                        assert app.execute(statement.encode()).rowcount > 0
                    else:
                        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                            app.execute(statement.encode())


def test_anon_may_where_the_operator_says_so(sample_url: str) -> None:
    take_all(sample_url)
    cut(sample_url, allow_anon=True)
    with psycopg.connect(sample_url) as app:
        app.execute("SET LOCAL ROLE anon")
        assert app.execute("UPDATE multitalk_jobs SET width = 1").rowcount == 16
        assert len(app.execute("SELECT * FROM multitalk_jobs WHERE status = 'completed'").fetchall()) == 10
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("SELECT legacy_row FROM workflow_jobs")


def test_what_stands_in_the_way_is_named_and_can_be_accepted(sample_url: str) -> None:
    take_all(sample_url)
    for statement in (
        "CREATE TABLE notes (job_id varchar REFERENCES multitalk_jobs)",
        "CREATE VIEW finished AS SELECT * FROM multitalk_jobs WHERE status = 'completed'",
        "CREATE UNIQUE INDEX one_name ON datasets (name)",
        "ALTER TABLE edited_images ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY",
        "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name := upper(NEW.name); RETURN NEW; END'",
        "CREATE TRIGGER shout BEFORE INSERT ON datasets FOR EACH ROW EXECUTE FUNCTION shout()",
    ):
        rows(sample_url, statement)
    with pytest.raises(Conflict) as refused:
        cut(sample_url)
    names = {
        "multitalk_jobs.notes_job_id_fkey",
        "multitalk_jobs.finished",
        "datasets.one_name",
        "edited_images.number",
        "datasets.shout",
    }
    assert names == {line.split(":")[0].strip() for line in refused.value.message.splitlines()[1:]}
    assert [name for name, _ in cut(sample_url, dry_run=True).obstacles] == sorted(names)
    rows(sample_url, "DROP TABLE notes")
    cut(sample_url, accept=frozenset({"all"}))
    assert len(rows(sample_url, "SELECT * FROM edited_images")) == 5


def test_a_row_that_was_cut_stands_in_the_way_and_comes_back_whole(sample_url: str) -> None:
    """Also when the app has written it through the view, and when it says something else there now."""
    rows(
        sample_url,
        "UPDATE multitalk_jobs SET video_url = 'data:video/mp4;base64,' || repeat('x', 65 << 20) "
        "WHERE job_id LIKE '%%01' OR job_id = 'prompt-0016'",
    )
    take_all(sample_url)
    with pytest.raises(Conflict, match=r"2 rows of multitalk_jobs have values that are too long"):
        cut(sample_url)
    cut(sample_url, accept=frozenset({"multitalk_jobs.cut"}))
    rows(sample_url, "UPDATE multitalk_jobs SET error_message = 'seen' WHERE job_id = 'prompt-0016'")
    rows(sample_url, "UPDATE multitalk_jobs SET video_url = 'https://x/y.mp4' WHERE job_id LIKE '%%01'")
    assert verified(sample_url).right
    back(sample_url)
    found = rows(
        sample_url,
        "SELECT length(video_url) > 65 << 20 AS whole, error_message FROM multitalk_jobs WHERE job_id LIKE '%%01' OR job_id = 'prompt-0016' ORDER BY job_id = 'prompt-0016'",
    )
    assert [row["whole"] for row in found] == [False, True]
    assert found[1]["error_message"] == "seen"


@pytest.mark.parametrize("kind", ["TABLE legacy_archive.multitalk_jobs", "VIEW legacy_archive.data_pkey"])
def test_what_stands_where_the_tables_go_stops_it(sample_url: str, kind: str) -> None:
    take_all(sample_url)
    rows(sample_url, "CREATE SCHEMA legacy_archive")
    rows(sample_url, f"CREATE {kind} AS SELECT 1 AS n")
    with pytest.raises(
        Conflict, match=r"legacy_archive, where the old tables go, has (multitalk_jobs|data_pkey) already"
    ):
        cut(sample_url, accept=frozenset({"all"}))
    rows(sample_url, f"ALTER {kind} RENAME TO aside")
    cut(sample_url)


def test_it_refuses_before_verify_has_passed(sample_url: str) -> None:
    take_all(sample_url)
    with pytest.raises(InvalidRequest, match="no role nobody"):
        cut(sample_url, app_role="nobody")
    with pytest.raises(Conflict, match="more than 0 hours ago"):
        cut(sample_url, verified_hours=0)
    passed(sample_url, "failed")
    with pytest.raises(Conflict, match="has not passed"):
        cut(sample_url)
    with pytest.raises(Conflict, match="Nothing is cut over"):
        back(sample_url)
    passed(sample_url)
    cut(sample_url)
    with pytest.raises(Conflict, match="Already cut over"):
        cut(sample_url)


def test_a_dry_run_changes_nothing(sample_url: str) -> None:
    take_all(sample_url)
    planned = cut(sample_url, dry_run=True)
    assert len(planned.views) == 5
    assert rows(sample_url, "SELECT 1 FROM pg_class WHERE relname LIKE 'legacy_multitalk%%'") == []
    assert {
        r["relkind"]
        for r in rows(sample_url, "SELECT relkind FROM pg_class WHERE relname = ANY (%s)", list(TABLES))
    } == {"r"}
    cut(sample_url)
    rows(sample_url, INSERT, "later")
    assert back(sample_url, dry_run=True).waiting == 1
    assert len(rows(sample_url, "SELECT * FROM multitalk_jobs WHERE job_id = 'later'")) == 1


def test_columns_that_somebody_added_keep_their_types(sample_url: str) -> None:
    for statement in (
        "CREATE TYPE mood AS ENUM ('glad', 'sad')",
        "ALTER TABLE multitalk_jobs ADD COLUMN tags text[] DEFAULT '{a,\"b c\"}', ADD COLUMN mood mood DEFAULT 'glad',"
        " ADD COLUMN extra jsonb, ADD COLUMN cost numeric(8,3) DEFAULT 1.5, ADD COLUMN code varchar(4), ADD COLUMN day date",
        "UPDATE multitalk_jobs SET extra = '{\"a\": [1, null]}', day = '2025-01-01' WHERE job_id LIKE '%%1'",
    ):
        rows(sample_url, statement)
    before = rows(sample_url, "SELECT * FROM multitalk_jobs ORDER BY job_id")
    take_all(sample_url)
    cut(sample_url)
    assert rows(sample_url, "SELECT * FROM multitalk_jobs ORDER BY job_id") == before
    rows(sample_url, INSERT, "typed")
    rows(
        sample_url,
        "UPDATE multitalk_jobs SET tags = tags || 'z'::text, mood = 'sad', extra = 'null' WHERE job_id = 'typed'",
    )
    with pytest.raises(psycopg.errors.StringDataRightTruncation):
        rows(sample_url, "UPDATE multitalk_jobs SET code = 'longer'")
    shown = rows(sample_url, "SELECT tags, mood, cost, code FROM multitalk_jobs WHERE job_id = 'typed'")
    assert shown[0]["tags"] == ["a", "b c", "z"]
    back(sample_url)
    assert (
        rows(sample_url, "SELECT tags, mood, cost, code FROM multitalk_jobs WHERE job_id = 'typed'") == shown
    )


def test_keys_and_pages_are_found_by_index(cut_url: str) -> None:
    rows(cut_url, "INSERT INTO multitalk_jobs SELECT 'many-' || n, 'completed', now() - n * interval '1 min', NULL, 'x.mp4',"
         " NULL, NULL, NULL, 1, 1, false, 'http://c' FROM generate_series(1, 300) AS n")  # fmt: skip
    rows(cut_url, "ANALYZE workflow_jobs")
    for statement, index in (
        ("SELECT * FROM multitalk_jobs WHERE job_id = 'many-7'", "workflow_jobs_legacy_table_legacy_id_key"),
        (
            "SELECT * FROM multitalk_jobs ORDER BY timestamp_submitted DESC LIMIT 5",
            "legacy_multitalk_jobs_timestamp_submitted",
        ),
        ("SELECT * FROM multitalk_jobs ORDER BY created_at DESC LIMIT 5", "legacy_multitalk_jobs_created_at"),
        (
            "SELECT * FROM edited_images WHERE id = 'ed000000-0000-4000-8000-000000000001'",
            "legacy_edited_images_id",
        ),
        (
            "SELECT * FROM data WHERE dataset_id = 'da000000-0000-4000-8000-000000000001'",
            "legacy_data_dataset_id",
        ),
    ):
        with psycopg.connect(cut_url) as connection:
            connection.execute("SET enable_seqscan = off")
            plan = "\n".join(
                line for (line,) in connection.execute(f"EXPLAIN {statement}".encode()).fetchall()
            )
        assert index in plan, plan
