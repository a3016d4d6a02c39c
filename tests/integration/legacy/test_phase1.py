"""Phase 1: types and owners in the old tables themselves, while their app goes on."""

import asyncio
import subprocess
import sys
import threading
import time

import psycopg
import pytest

from rushes.adapters.postgres.legacy import open_legacy
from rushes.domain.errors import Conflict
from rushes.legacy.phase1 import GUARD, Phase1, phase1
from tests.integration.legacy.old_app import running
from tests.integration.legacy.steps import back, cut, rows, take_all, wait

EXPECTED = {
    "01": "lipsync-one", "02": "lipsync-one", "03": "lipsync-one", "04": "lipsync-multi", "05": "lipsync-multi",
    "06": "lipsync-multi", "07": "video-lipsync", "08": "video-lipsync", "09": "wan-i2v", "10": "wan-i2v",
    "11": "img2img", "12": "img2img", "13": "wan-i2v", "14": "video-lipsync", "15": "lipsync-one", "16": None,
}  # fmt: skip


def take(url: str, **options: object) -> Phase1:
    async def run() -> Phase1:
        async with open_legacy(url) as database:
            return await phase1(database, **options)  # type: ignore[arg-type]  # the test's own words

    return wait(run())


def test_types_are_filled_and_updated_at_stays(sample_url: str) -> None:
    before = rows(sample_url, "SELECT job_id, updated_at FROM multitalk_jobs ORDER BY job_id")
    done = take(sample_url, batch=3)
    assert done.filled == {"multitalk_jobs": 15, "style_transfers": 5, "edited_images": 5, "datasets": 2}
    assert done.unknown["multitalk_jobs"] == 1
    after = rows(sample_url, "SELECT job_id, updated_at FROM multitalk_jobs ORDER BY job_id")
    assert after == before
    types = rows(sample_url, "SELECT right(job_id, 2) AS n, workflow_type FROM multitalk_jobs")
    assert {row["n"]: row["workflow_type"] for row in types} == EXPECTED
    assert rows(sample_url, "SELECT 1 FROM pg_trigger WHERE tgname = %s", GUARD) == []
    # the app's own trigger is as it was
    rows(sample_url, "UPDATE multitalk_jobs SET width = 1 WHERE job_id = 'prompt-0016'")
    [row] = rows(
        sample_url,
        "SELECT now() - updated_at < '1 min' AS fresh FROM multitalk_jobs WHERE job_id = 'prompt-0016'",
    )
    assert row["fresh"]


def test_again_it_changes_nothing(sample_url: str) -> None:
    take(sample_url)
    versions = rows(sample_url, "SELECT xmin, job_id FROM multitalk_jobs ORDER BY job_id")
    again = take(sample_url)
    assert again.steps == []
    assert set(again.filled.values()) == {0}
    assert rows(sample_url, "SELECT xmin, job_id FROM multitalk_jobs ORDER BY job_id") == versions


def test_sizes_may_be_absent_now(sample_url: str) -> None:
    take(sample_url)
    rows(
        sample_url,
        "INSERT INTO multitalk_jobs (job_id, status, comfy_url, trim_to_audio) VALUES ('n', 'submitted', 'c', NULL)",
    )
    indexes = {
        row["indexname"]
        for row in rows(sample_url, "SELECT indexname FROM pg_indexes WHERE tablename = 'multitalk_jobs'")
    }
    assert {"idx_multitalk_jobs_workflow_type", "idx_multitalk_jobs_user_id"} <= indexes


def test_what_still_runs_waits(sample_url: str) -> None:
    """Its file name, which is to come, may say something else."""
    rows(
        sample_url,
        "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url) VALUES ('runs', 'processing', 1, 1, 'c')",
    )
    assert take(sample_url).later["multitalk_jobs"] == 1
    rows(
        sample_url,
        "UPDATE multitalk_jobs SET status = 'completed', filename = 'img2img_1.png' WHERE job_id = 'runs'",
    )
    take(sample_url)
    [row] = rows(sample_url, "SELECT workflow_type FROM multitalk_jobs WHERE job_id = 'runs'")
    assert row["workflow_type"] == "img2img"


def test_a_type_that_is_there_stays(sample_url: str) -> None:
    rows(sample_url, "ALTER TABLE multitalk_jobs ADD COLUMN workflow_type varchar(50)")
    rows(sample_url, "UPDATE multitalk_jobs SET workflow_type = 'mine' WHERE job_id = 'prompt-0016'")
    take(sample_url)
    assert len(rows(sample_url, "SELECT 1 FROM multitalk_jobs WHERE workflow_type = 'mine'")) == 1


SUBMIT = "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url) VALUES (%s, 'submitted', 1, 1, 'c')"
END = "UPDATE multitalk_jobs SET status = 'completed', filename = %s WHERE job_id = %s"
TYPES = "SELECT job_id, workflow_type FROM multitalk_jobs WHERE job_id LIKE 'later-%%' ORDER BY 1"


@pytest.mark.parametrize("then", ["phase 1", "phase 1, and the cut-over"])
def test_rows_that_the_app_writes_later_get_a_type(sample_url: str, then: str) -> None:
    """By the trigger, or by the view that takes the table's place."""
    take(sample_url)
    if then != "phase 1":
        take_all(sample_url)
        cut(sample_url)
    for number, name in enumerate(("img2img_1.png", "wani2v_1.mp4", None)):
        rows(sample_url, SUBMIT, f"later-{number}")
        assert rows(sample_url, TYPES)[number]["workflow_type"] is None
        rows(sample_url, END, name, f"later-{number}")
    # what the app, or somebody, says itself stays
    rows(sample_url, "UPDATE multitalk_jobs SET workflow_type = 'mine' WHERE job_id = 'later-0'")
    rows(sample_url, "UPDATE multitalk_jobs SET workflow_type = NULL WHERE job_id = 'later-2'")
    assert [row["workflow_type"] for row in rows(sample_url, TYPES)] == ["mine", "wan-i2v", None]
    [row] = rows(
        sample_url,
        "INSERT INTO edited_images (source_image_url, prompt, workflow_name) VALUES ('', '', 'StyleTransfer') RETURNING *",
    )
    assert row["workflow_type"] == "style-transfer"
    if then != "phase 1":
        back(sample_url)
        assert rows(sample_url, TYPES)[1]["workflow_type"] == "wan-i2v"
        rows(sample_url, SUBMIT, "later-9")
        rows(sample_url, END, "wani2v_9.mp4", "later-9")
        assert rows(sample_url, TYPES)[-1]["workflow_type"] == "wan-i2v"


def test_a_type_that_can_not_be_found_fails_no_write(sample_url: str) -> None:
    rows(sample_url, "ALTER TABLE multitalk_jobs ADD notes json")
    take(sample_url)
    rows(sample_url, SUBMIT, "later-1")
    rows(
        sample_url,
        r"""UPDATE multitalk_jobs SET status = 'error', notes = '"\u0000"' WHERE job_id = 'later-1'""",
    )
    assert rows(sample_url, TYPES) == [{"job_id": "later-1", "workflow_type": None}]


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("integer", "of the type integer"),
        ("varchar(10)", r"of the type character varying\(10\)"),
        (
            "text CHECK (workflow_type IN ('lipsync'))",
            "with the constraint edited_images_workflow_type_check",
        ),
    ],
)
def test_a_column_that_may_refuse_a_type_stops_it_before_anything(
    sample_url: str, column: str, why: str
) -> None:
    rows(sample_url, f"ALTER TABLE edited_images ADD workflow_type {column}")
    with pytest.raises(Conflict, match=why):
        take(sample_url, dry_run=True)
    with pytest.raises(Conflict, match=why):
        take(sample_url)
    assert (
        rows(
            sample_url,
            "SELECT 1 FROM pg_attribute WHERE attname = 'user_id' AND attrelid = 'multitalk_jobs'::regclass",
        )
        == []
    )


def test_a_table_without_created_at(sample_url: str) -> None:
    rows(sample_url, "ALTER TABLE edited_images DROP created_at")
    assert take(sample_url).filled["edited_images"] == 5


def test_a_dry_run_changes_nothing(sample_url: str) -> None:
    done = take(sample_url, dry_run=True)
    assert any("CREATE INDEX CONCURRENTLY" in statement for _, statement in done.steps)
    assert (
        rows(
            sample_url,
            "SELECT 1 FROM pg_attribute WHERE attrelid = 'multitalk_jobs'::regclass AND attname = 'user_id'",
        )
        == []
    )
    assert rows(sample_url, "SELECT 1 FROM rushes_legacy.log") == []


def test_nobody_waits_for_long_behind_it(sample_url: str) -> None:
    """A transaction that stays open keeps phase 1 from its lock; others go on meanwhile.

    (A statement that was prepared with `*` fails once when a column is added: that is PostgreSQL's.)
    """
    with psycopg.connect(sample_url) as idle, running(sample_url, rate=40, people=2, prepared=False) as load:
        idle.execute("SELECT 1 FROM multitalk_jobs")
        release = threading.Timer(2.5, idle.commit)
        release.start()
        take(sample_url)
        release.join()
    assert load.errors == []
    assert load.slowest < 1.8


def test_rows_that_somebody_holds_are_left_for_later(sample_url: str) -> None:
    take(sample_url)
    rows(sample_url, "UPDATE multitalk_jobs SET workflow_type = NULL")
    with psycopg.connect(sample_url) as other:
        other.execute(
            "SELECT 1 FROM multitalk_jobs WHERE job_id = 'prompt-0016' OR job_id LIKE '%01' FOR UPDATE"
        )
        [batch] = rows(
            sample_url, "SELECT * FROM rushes_legacy.fill_types('multitalk_jobs', NULL, 100, '24 hours')"
        )
    assert (batch["seen"], batch["filled"], batch["later"]) == (16, 14, 2)
    assert take(sample_url).filled["multitalk_jobs"] == 1


def test_killed_anywhere_it_goes_on(sample_url: str) -> None:
    rows(sample_url, "INSERT INTO multitalk_jobs SELECT 'many-' || n, 'completed', now(), now(), 'wan_1.mp4', NULL, NULL, NULL, 1, 1,"
         " false, 'c', NULL, NULL, now(), '2025-01-01' FROM generate_series(1, 3000) AS n")  # fmt: skip
    script = (
        "import asyncio, sys\n"
        "from rushes.adapters.postgres.legacy import open_legacy\n"
        "from rushes.legacy.phase1 import phase1\n"
        "async def run():\n"
        "    async with open_legacy(sys.argv[1]) as database:\n"
        "        await phase1(database, batch=100)\n"
        "asyncio.run(run())\n"
    )
    work = subprocess.Popen([sys.executable, "-c", script, sample_url])
    deadline = time.monotonic() + 30
    filled = 0
    while not filled and time.monotonic() < deadline and work.poll() is None:
        try:
            filled = rows(sample_url, "SELECT count(workflow_type) AS n FROM multitalk_jobs")[0]["n"]
        except psycopg.errors.UndefinedColumn:
            continue
    work.kill()
    work.wait()
    take_patiently(sample_url)
    [row] = rows(sample_url, "SELECT count(*) AS n FROM multitalk_jobs WHERE workflow_type IS NULL")
    assert row["n"] == 1
    assert len(rows(sample_url, "SELECT 1 FROM multitalk_jobs WHERE updated_at = '2025-01-01'")) == 3000
    assert rows(sample_url, "SELECT 1 FROM pg_trigger WHERE tgname = %s", GUARD) == []


def take_patiently(url: str) -> None:
    """The server may still be at the killed one's last statement."""
    for _ in range(100):
        try:
            take(url)
            return
        except Conflict:
            wait(asyncio.sleep(0.1))
    pytest.fail("the lock of a killed process stayed")
