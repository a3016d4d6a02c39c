"""Old rows that go while no trigger sees each of them go: their jobs go, too."""

import pytest

from rushes.domain.errors import Conflict
from rushes.legacy.changes import drain
from rushes.legacy.pace import Pace
from rushes.legacy.sweep import sweep
from rushes.legacy.tables import shapes
from rushes.legacy.verify import Verification, verify
from tests.integration.legacy.steps import cut, rows, take_all, wait
from tests.integration.legacy.taking import both, taken

COUNTED = "SELECT legacy_table AS name, count(*) AS n FROM workflow_jobs GROUP BY 1"
ITEMS = "SELECT 1 FROM caption_dataset_items"
MANY = """
    INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url)
    SELECT 'many-' || n, 'error', 1, 1, 'c' FROM generate_series(1, 300) AS n"""


@pytest.fixture(params=["one database", "two databases"])
def old_url(request: pytest.FixtureRequest, sample_url: str) -> str:
    """Where the old tables are."""
    name = "sample_url" if request.param == "one database" else "source_url"
    return str(request.getfixturevalue(name))


def move(target: str, old: str) -> None:
    wait(taken(target, None if old == target else old))


def follow(target: str, old: str) -> int:
    async def run() -> int:
        async with both(target, old) as (source, here):
            done = 0
            while more := await drain(here, source if old != target else None):
                done += more
            return done

    return wait(run())


def swept(target: str, old: str, *, let_go: bool = False, busy: bool = False) -> int:
    """`busy`: the old app wrote a moment ago."""

    async def run() -> int:
        async with both(target, old) as (source, here):
            tables, pace = await shapes(source), Pace(source, here)
            if busy:
                await source.execute(
                    "INSERT INTO rushes_legacy.changes (legacy_table, legacy_id) VALUES ('data', 'x')"
                )
            await pace.begin()
            assert pace.is_gentle == busy
            return await sweep(here, source, tables, apart=old != target, let_go=let_go, pace=pace)

    return wait(run())


def differences(target: str, old: str) -> set[tuple[str, str, str]]:
    async def run() -> Verification:
        async with both(target, old) as (source, here):
            return await verify(source, here, apart=old != target)

    return {(one.table, one.row, one.field) for one in wait(run()).differences}


def counted(url: str) -> dict[str, int]:
    return {row["name"]: row["n"] for row in rows(url, COUNTED)}


def test_an_emptied_table_is_followed(sample_url: str, old_url: str) -> None:
    move(sample_url, old_url)
    before = counted(sample_url)
    rows(old_url, "TRUNCATE style_transfers")
    rows(
        old_url,
        "INSERT INTO style_transfers (source_image_url, style_image_url, prompt) VALUES ('', '', 'a new one')",
    )
    follow(sample_url, old_url)
    assert counted(sample_url) == before | {"style_transfers": 1}
    assert differences(sample_url, old_url) == set()


def test_emptied_items_and_datasets(sample_url: str, old_url: str) -> None:
    move(sample_url, old_url)
    rows(old_url, "TRUNCATE data")
    follow(sample_url, old_url)
    assert counted(sample_url)["datasets"] == 2
    assert rows(sample_url, ITEMS) == []
    rows(old_url, "TRUNCATE datasets CASCADE")
    follow(sample_url, old_url)
    assert "datasets" not in counted(sample_url)


@pytest.mark.parametrize("busy", [False, True])
def test_rows_deleted_without_triggers(sample_url: str, old_url: str, busy: bool) -> None:
    move(sample_url, old_url)
    before = counted(sample_url)
    rows(
        old_url,
        "SET session_replication_role = replica; DELETE FROM multitalk_jobs WHERE job_id = 'prompt-0016'; "
        "DELETE FROM edited_images WHERE workflow_name = 'StyleTransfer'",
    )
    follow(sample_url, old_url)
    assert counted(sample_url) == before
    assert ("multitalk_jobs", "prompt-0016", "row") in differences(sample_url, old_url)
    gone = swept(sample_url, old_url, busy=busy)
    assert gone > 1
    assert follow(sample_url, old_url) >= gone
    assert counted(sample_url)["multitalk_jobs"] == before["multitalk_jobs"] - 1
    assert differences(sample_url, old_url) == set()
    assert swept(sample_url, old_url) == 0


def test_the_wrong_database_deletes_nothing(sample_url: str, old_url: str) -> None:
    rows(old_url, MANY)
    move(sample_url, old_url)
    rows(old_url, "SET session_replication_role = replica; DELETE FROM multitalk_jobs")
    with pytest.raises(Conflict, match="316 of the 316 jobs from multitalk_jobs"):
        swept(sample_url, old_url)
    assert follow(sample_url, old_url) == 0
    assert counted(sample_url)["multitalk_jobs"] == 316
    assert swept(sample_url, old_url, let_go=True) == 316
    follow(sample_url, old_url)
    assert "multitalk_jobs" not in counted(sample_url)


def test_migrate_lets_them_go(sample_url: str, old_url: str) -> None:
    rows(old_url, MANY)
    move(sample_url, old_url)
    rows(
        old_url, "SET session_replication_role = replica; DELETE FROM multitalk_jobs WHERE job_id = 'many-7'"
    )
    move(sample_url, old_url)
    assert counted(sample_url)["multitalk_jobs"] == 315
    rows(old_url, "SET session_replication_role = replica; DELETE FROM multitalk_jobs")
    with pytest.raises(Conflict, match="--let-go"):
        move(sample_url, old_url)
    wait(taken(sample_url, None if old_url == sample_url else old_url, let_go=True))
    assert differences(sample_url, old_url) == set()


@pytest.mark.parametrize("how", ["DISABLE TRIGGER rushes_note_delete", "DISABLE TRIGGER ALL"])
def test_no_cut_over_while_nobody_notes(sample_url: str, how: str) -> None:
    take_all(sample_url)
    rows(sample_url, f"ALTER TABLE edited_images {how}")
    with pytest.raises(Conflict, match=r"edited_images.*rushes legacy migrate"):
        cut(sample_url)
    take_all(sample_url)
    assert cut(sample_url).tables
