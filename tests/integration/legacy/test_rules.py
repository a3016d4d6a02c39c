"""Odd values and odd tables, each carried over as it is, with its anomalies; both sets of rules agree on all of it."""

from typing import Any

import psycopg
import pytest

from rushes.legacy import tables
from rushes.legacy.values import job_uuid, moment, natural
from tests.integration.legacy.taking import taken
from tests.integration.legacy.test_verify import verified

pytestmark = pytest.mark.anyio

MOMENTS = [
    "2025-09-10T14:00:00.123456+00:00", "0001-01-01T00:00:00+00:00", "294276-12-31T23:59:59+00:00", "4713-11-24T00:00:00+00:00 BC",
    "0001-12-31T23:59:59+00:00 BC", "0004-02-29T00:00:00+00:00", "1900-02-28T00:00:00+00:00", "2000-02-29T12:00:00+00:00", "10000-01-01T00:00:00+00:00",
    "1969-12-31T23:59:59.999999+00:00", "2025-09-10T14:00:00+05:30", "2025-09-10T14:00:00-00:30", "2025-09-10 14:00:00", "2025-06-30T24:00:00+00:00", "2025-06-30T23:59:60+00:00",
]  # fmt: skip
NO_MOMENTS = ["infinity", "-infinity", "", "now", "2025-13-01T00:00:00+00:00", "2025-02-29T00:00:00+00:00", "0000-01-01T00:00:00+00:00", "294277-01-01T00:00:00+00:00",
              "2025-01-01T25:00:00+00:00", "2025-01-01", "yesterday", "2025-01-01T00:00:00+16:00", "4714-11-23T00:00:00+00:00 BC"]  # fmt: skip


async def test_moments_are_read_alike(schema_url: str) -> None:
    with psycopg.connect(schema_url) as connection:
        connection.execute("SET timezone = 'UTC'")
        for told in MOMENTS + NO_MOMENTS:
            for careful in ("", "on"):
                connection.execute("SELECT set_config('rushes_legacy.careful', %s, true)", (careful,))
                if careful == "" and told.endswith("+00:00") and told in NO_MOMENTS:
                    continue  # what only looks like a moment is read carefully, after it failed
                row = connection.execute(
                    "SELECT (extract(epoch FROM rushes_legacy.moment_of(%s)) * 1000000)::text", (told,)
                ).fetchone()
                assert row
                micros = None if row[0] is None else int(row[0].partition(".")[0])
                assert micros == moment(told), (told, careful)
                assert (micros is None) == (told in NO_MOMENTS), told


async def test_ids_and_natural_order_are_computed_alike(schema_url: str) -> None:
    names = [
        "1.png",
        "10.png",
        "2.png",
        "02.png",
        "a1b2",
        "a1b10",
        "",
        "ä9",
        "ä10",
        "007",
        "7",
        "0",
        "a",
        "B",
        "٣",
        "99999999999999999999999",
        "9",
    ]
    with psycopg.connect(schema_url) as connection:
        for micros in (0, -1, 1_757_512_800_123_999, 1_757_512_800_124_000, 2**62, -(2**57)):
            row = connection.execute(
                "SELECT rushes_legacy.id_of('data', 'é', timestamptz 'epoch' + %s * interval '1 microsecond')::text"
                if abs(micros) < 2**60 else "SELECT rushes_legacy.id_of('data', 'é', '100000-01-01+00')::text",
                (micros,) if abs(micros) < 2**60 else (),
            ).fetchone()  # fmt: skip
            assert row == (job_uuid("data", "é", micros),)
        keys = [
            key
            for (key,) in connection.execute(
                "SELECT rushes_legacy.natural_key(n) FROM unnest(%s::text[]) WITH ORDINALITY AS x (n, place) ORDER BY place",
                (names,),
            )
        ]
        assert keys == [natural(name) for name in names]
    assert sorted(["1.png", "10.png", "2.png"], key=natural) == ["1.png", "2.png", "10.png"]


def anomalies(url: str, row: str) -> Any:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT metadata -> 'legacy' -> 'anomalies' FROM workflow_jobs WHERE legacy_id = %s", (row,)
        ).fetchone()
        assert found
        return found[0]


async def test_columns_of_other_types(sample_url: str) -> None:
    with psycopg.connect(sample_url, autocommit=True) as app:
        app.execute("DROP TRIGGER update_multitalk_jobs_updated_at ON multitalk_jobs")
        app.execute("""ALTER TABLE multitalk_jobs ALTER created_at TYPE text, ALTER timestamp_completed TYPE text, ALTER width TYPE text,
                       ALTER trim_to_audio DROP DEFAULT, ALTER trim_to_audio TYPE text, ALTER updated_at TYPE timestamp""")
        app.execute(
            "UPDATE multitalk_jobs SET created_at = '2025-99-99T00:00:00+00:00' WHERE job_id = 'prompt-0016'"
        )
        app.execute("ALTER TABLE edited_images ALTER processing_time_seconds TYPE text, ALTER id TYPE text")
        app.execute(
            "UPDATE edited_images SET processing_time_seconds = 'eleven' WHERE prompt = 'make it winter'"
        )
        app.execute(
            "INSERT INTO edited_images (id, source_image_url, prompt) VALUES ('', '', 'no id'), ('é/\\''%', '', 'odd id')"
        )
        app.execute("ALTER TABLE datasets ALTER settings TYPE json")
    await taken(sample_url)
    done = await verified(sample_url)
    assert done.right, [one.as_dict() for one in done.differences]
    assert "bad_times" in anomalies(sample_url, "prompt-0016")
    assert anomalies(sample_url, "ed000000-0000-4000-8000-000000000001") == ["bad_times"]


async def test_half_of_phase_1_by_hand_and_ids_that_repeat_across_tables(sample_url: str) -> None:
    same = "0a6f1c1e-5b0e-4a55-9f3e-000000000001"
    with psycopg.connect(sample_url, autocommit=True) as app:
        app.execute("ALTER TABLE multitalk_jobs ADD workflow_type text DEFAULT '', ADD user_id text")
        app.execute("UPDATE multitalk_jobs SET workflow_type = 'img2img' WHERE job_id = 'prompt-0016'")
        app.execute(
            "UPDATE multitalk_jobs SET workflow_type = '../x y', user_id = 'me' WHERE job_id = %s", (same,)
        )
        app.execute("INSERT INTO edited_images (id, source_image_url, prompt) VALUES (%s, '', '')", (same,))
        app.execute(
            "INSERT INTO style_transfers (id, source_image_url, style_image_url, prompt, comfyui_prompt_id) VALUES (%s, '', '', '', %s)",
            (same, same),
        )
        app.execute(
            "INSERT INTO datasets (id, name, character_trigger, settings) VALUES (%s, '', '', '{}')", (same,)
        )
    await taken(sample_url)
    done = await verified(sample_url)
    assert done.right, [one.as_dict() for one in done.differences]
    with psycopg.connect(sample_url) as connection:
        rows = connection.execute(
            "SELECT legacy_table, job_id, workflow_type FROM workflow_jobs WHERE legacy_id = %s ORDER BY 1",
            (same,),
        ).fetchall()
        assert rows == [
            ("datasets", f"legacy:datasets:{same}", "character-caption"),
            ("edited_images", f"legacy:edited_images:{same}", "image-edit"),
            ("multitalk_jobs", same, "lipsync-one"),
            ("style_transfers", f"legacy:style_transfers:{same}", "style-transfer"),
        ]
        row = connection.execute(
            "SELECT workflow_type, metadata #>> '{legacy,type_rule}' FROM workflow_jobs WHERE legacy_id = 'prompt-0016'"
        ).fetchone()
        assert row == ("img2img", "column")


async def test_a_row_that_is_too_large_is_carried_over_with_its_long_texts_cut(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROW_BYTES", 2_000_000)
    with psycopg.connect(empty_url, autocommit=True) as app:
        app.execute(
            "INSERT INTO edited_images (source_image_url, prompt) VALUES ('data:image/png;base64,' || repeat('iVBO', 1000000), 'large')"
        )
        app.execute(
            "INSERT INTO edited_images (source_image_url, prompt) VALUES ('data:image/png;base64,' || repeat('iVBO', 100000), 'small')"
        )
    await taken(empty_url)
    done = await verified(empty_url)
    assert done.right, [one.as_dict() for one in done.differences]
    with psycopg.connect(empty_url) as connection:
        rows: dict[str, Any] = dict(
            connection.execute(
                "SELECT prompt_text, metadata -> 'legacy' -> 'anomalies' FROM workflow_jobs"
            ).fetchall()
        )
        assert rows == {"large": ["inline_data", "unreadable_value"], "small": ["inline_data"]}
        sizes: dict[str, int] = dict(
            connection.execute(
                "SELECT prompt_text, length(legacy_row ->> 'source_image_url') FROM workflow_jobs"
            ).fetchall()
        )
        assert sizes == {"large": 1000, "small": 400_022}


@pytest.mark.parametrize("status", ["archived", "COMPLETED", " completed", ""])
async def test_a_status_never_seen_is_no_success(empty_url: str, status: str) -> None:
    with psycopg.connect(empty_url, autocommit=True) as app:
        app.execute(
            "INSERT INTO edited_images (id, source_image_url, prompt, status) VALUES (gen_random_uuid(), '', '', %s)",
            (status,),
        )
    await taken(empty_url)
    with psycopg.connect(empty_url) as connection:
        row = connection.execute(
            "SELECT status, error_code, metadata #>> '{legacy,status}', metadata #> '{legacy,anomalies}' FROM workflow_jobs"
        ).fetchone()
        assert row == ("failed", "legacy_error", status, ["unreadable_value"])
    assert (await verified(empty_url)).right
