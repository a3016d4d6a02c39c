"""What a source row can hold that JSON can't: carried over with the anomaly listed, and never a stop."""

from typing import Any

import psycopg
import pytest

from rushes.adapters.postgres.legacy import open_legacy
from rushes.legacy import tables
from rushes.legacy.changes import portions
from rushes.legacy.inspect import Inspection, inspect
from rushes.legacy.queries import query
from rushes.legacy.tables import shapes
from rushes.legacy.verify import Verification
from tests.integration.legacy.steps import rows, verified, wait
from tests.integration.legacy.taking import taken

UNHOLDABLE = {
    "a NUL": r'{"a": "x\u0000y"}',
    "a NUL in a key": r'{"x\u0000": 1}',
    "half a character": r'{"a": "\ud83d!"}',
    "the other half": r'{"a": "\uDE00"}',
    "halves in the wrong order": r'{"a": "\ude00\ud83d"}',
    "a number beyond all measure": '{"a": 1e200000}',
    "a NUL after a backslash": r'{"a": "\\\u0000"}',
}
HOLDABLE = {
    "a backslash, and u0000": r'{"a": "\\u0000"}',
    "both halves": r'{"a": "\ud83d\ude00"}',
    "a backslash, and half a character": r'{"a": "\\ud83d"}',
    "a number in words": r'{"a": "1e200000 \" 1e200000"}',
    "nothing odd": '{"caption_type": "long"}',
}
SET = "INSERT INTO datasets (name, character_trigger, settings) VALUES (%s, '', %s)"
NAMED = "SELECT prompt_text AS name, legacy_row, metadata -> 'legacy' -> 'anomalies' AS anomalies FROM workflow_jobs"


def move(url: str) -> Verification:
    wait(taken(url))
    return verified(url)


def looked_at(url: str) -> Inspection:
    async def run() -> Inspection:
        async with open_legacy(url) as source:
            return await inspect(source)

    return wait(run())


def test_json_that_jsonb_cannot_hold_stays_as_text(empty_url: str) -> None:
    rows(empty_url, "ALTER TABLE datasets ALTER settings TYPE json USING settings::json")
    for name, settings in {**UNHOLDABLE, **HOLDABLE}.items():
        rows(empty_url, SET, name, settings)
    found = looked_at(empty_url)
    assert found.anomalies["unreadable_value"] == len(UNHOLDABLE)
    done = move(empty_url)
    assert done.right, [one.as_dict() for one in done.differences]
    jobs = {row["name"]: row for row in rows(empty_url, NAMED)}
    for name, settings in UNHOLDABLE.items():
        assert jobs[name]["legacy_row"]["settings"] == settings, name
        assert jobs[name]["legacy_row"]["rushes:cut"] == ["settings"]
        assert jobs[name]["anomalies"] == ["unreadable_value"]
    for name in HOLDABLE:
        assert "rushes:cut" not in jobs[name]["legacy_row"], name
        assert isinstance(jobs[name]["legacy_row"]["settings"], dict)
        assert jobs[name]["anomalies"] == []


def test_so_does_what_stands_in_a_column_of_somebodys_own(empty_url: str) -> None:
    rows(empty_url, "CREATE DOMAIN notes AS json")
    rows(empty_url, "ALTER TABLE edited_images ADD notes notes, ADD more json[], ADD raw bytea")
    statement = "INSERT INTO edited_images (source_image_url, prompt, notes, more, raw) VALUES ('', %s, %s, %s::json[], '\\x00ff')"
    bad, good = UNHOLDABLE["a NUL"], HOLDABLE["both halves"]
    rows(empty_url, statement, "notes", bad, [good])
    rows(empty_url, statement, "more", good, [good, bad])
    rows(empty_url, statement, "fine", good, [good])
    rows(empty_url, statement, "none", None, None)
    done = move(empty_url)
    assert done.right, [one.as_dict() for one in done.differences]
    jobs = {row["name"]: row["legacy_row"] for row in rows(empty_url, NAMED)}
    assert {name: row.get("rushes:cut") for name, row in jobs.items()} == {
        "notes": ["notes"],
        "more": ["more"],
        "fine": None,
        "none": None,
    }
    assert jobs["notes"]["notes"] == bad
    assert jobs["fine"]["more"] == [{"a": "😀"}]


def test_older_servers_are_asked_by_patterns(empty_url: str) -> None:
    """The same answers as from pg_input_is_valid, which came with PostgreSQL 16."""
    rows(empty_url, "ALTER TABLE datasets ALTER settings TYPE json USING settings::json")
    for name, settings in {**UNHOLDABLE, **HOLDABLE}.items():
        rows(empty_url, SET, name, settings)
    text = query("shape").replace(">= 160000", ">= 990000")
    with psycopg.connect(empty_url) as connection:
        asked = {"name": "datasets", "key": "id", "most": tables.ROW_BYTES, "least": 1_000_000}
        shape = connection.execute(text.encode(), asked).fetchone()
        assert shape is not None
        *_, holds, _, _ = shape
        assert "pg_input_is_valid" not in holds
        found = connection.execute(f"SELECT name, {holds} FROM datasets AS t".encode()).fetchall()
    assert dict(found) == dict.fromkeys(UNHOLDABLE, False) | dict.fromkeys(HOLDABLE, True)


LONG = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 100000) AS n)"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("text", LONG),
        ("bytea", f"decode({LONG}, 'hex')"),
        ("jsonb", f"jsonb_build_object('a', {LONG})"),
        ("json", f"json_build_object('a', {LONG})"),
        ("text[]", f"ARRAY[{LONG}]"),
    ],
)
def test_a_long_value_of_any_type_is_cut(
    empty_url: str, monkeypatch: pytest.MonkeyPatch, column: str, value: str
) -> None:
    monkeypatch.setattr(tables, "ROW_BYTES", 2_500_000)
    rows(empty_url, f"ALTER TABLE edited_images ADD extra {column}")
    rows(
        empty_url,
        f"INSERT INTO edited_images (source_image_url, prompt, model_used, extra) VALUES ('', 'p', repeat('m', 400000), {value})",
    )
    done = move(empty_url)
    assert done.right, [one.as_dict() for one in done.differences]
    [row] = rows(empty_url, NAMED)
    [was] = rows(empty_url, "SELECT extra::text AS whole FROM edited_images")
    kept = row["legacy_row"]["extra"]
    assert was["whole"].startswith(kept)
    assert len(kept) in {1000, 1002}  # an even number of digits
    assert row["legacy_row"]["rushes:cut"] == ["extra"]
    assert row["legacy_row"]["model_used"] == "m" * 400_000
    assert row["anomalies"] == ["unreadable_value"]


def content_of(url: str, name: str) -> Any:
    async def run() -> Any:
        async with open_legacy(url) as database:
            return (await shapes(database))[name].content

    return wait(run())


def test_a_table_without_json_pays_nothing(empty_url: str) -> None:
    """Its rows are read as they are."""
    assert "AND true THEN to_jsonb(t)" in content_of(empty_url, "multitalk_jobs")


SET_ID = "da000000-0000-4000-8000-0000000000ff"


def test_a_dataset_whose_items_are_too_much_together_has_them_cut(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of its items are taken in at once, and a server takes no more than 1 GB at once."""
    monkeypatch.setattr(tables, "ROW_BYTES", 2_000_000)
    other = SET_ID.replace("ff", "ee")
    rows(
        empty_url,
        "INSERT INTO datasets (id, name, character_trigger, settings) VALUES (%s, 'much', '', '{}'), (%s, 'little', '', '{}')",
        SET_ID,
        other,
    )
    item = "INSERT INTO data (dataset_id, image_url, image_name, caption) SELECT %s, 'data:image/png;base64,' || repeat('iVBO', 10000), n || '.png', 'c' FROM generate_series(1, %s) AS n"
    rows(empty_url, item, SET_ID, 60)
    rows(empty_url, item, other, 40)
    done = move(empty_url)
    assert done.right, [one.as_dict() for one in done.differences]
    jobs = {row["name"]: row["anomalies"] for row in rows(empty_url, NAMED)}
    assert jobs == {"much": ["inline_data", "unreadable_value"], "little": ["inline_data"]}
    lengths = rows(
        empty_url,
        "SELECT d.name, length(i.legacy_row ->> 'image_url') AS n, i.caption, count(*) FROM caption_dataset_items AS i "
        "JOIN caption_datasets AS d ON d.id = i.dataset_id GROUP BY 1, 2, 3 ORDER BY 1",
    )
    assert [tuple(row.values()) for row in lengths] == [("little", 40_022, "c", 40), ("much", 1000, "c", 60)]


def test_changes_are_followed_in_portions(empty_url: str) -> None:
    """However large the rows are together."""
    wait(taken(empty_url))
    rows(
        empty_url,
        "INSERT INTO edited_images (source_image_url, prompt, status, created_at) SELECT 'data:image/png;base64,' || repeat('iVBO', 1000000), "
        "'p', 'processing', now() - interval '2 days' FROM generate_series(1, 20)",
    )
    done = move(empty_url)
    assert done.right, [one.as_dict() for one in done.differences]
    assert rows(empty_url, "SELECT status, count(*) AS n FROM workflow_jobs GROUP BY 1") == [
        {"status": "failed", "n": 20}
    ]


def test_portions() -> None:
    assert list(portions([("c", 5), ("a", 5), ("b", 6), ("d", 30), ("e", 1)], 11)) == [
        ["a", "b"],
        ["c"],
        ["d"],
        ["e"],
    ]
    assert list(portions([])) == []
