"""verify finds the migrator's work right, and every planted corruption."""

import io
import random

import psycopg
import pytest
from psycopg import sql

import rushes.legacy.verify as verify_module
from rushes.legacy.listing import Listing
from rushes.legacy.verify import Part, Share, Verification, compare, verify
from tests.integration.legacy.conftest import DATA
from tests.integration.legacy.quirks import fill
from tests.integration.legacy.taking import both, taken

pytestmark = pytest.mark.anyio

CORRUPTIONS = [
    "DELETE FROM workflow_jobs WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET workflow_type = 'wan-i2v' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET workflow_name = 'StyleTransfer' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET status = 'completed' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET job_id = 'other' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET created_at = created_at + '1 microsecond' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET updated_at = now() WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET completed_at = now() WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET processing_time_seconds = 0 WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET processing_time_seconds = processing_time_seconds + 1 WHERE processing_time_seconds = 391",
    "UPDATE workflow_jobs SET error_code = 'legacy_error' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET error_message = error_message || ' ' WHERE error_message = '429 rate limited'",
    "UPDATE workflow_jobs SET comfy_url = comfy_url || '/' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET comfy_url = 'http://localhost:8188' WHERE legacy_table = 'edited_images' AND prompt_text = 'brighter'",
    "UPDATE workflow_jobs SET user_id = '00000000-0000-4000-8000-000000000001' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET user_ip = 'unknown' WHERE legacy_table = 'style_transfers' AND user_ip IS NULL",
    "UPDATE workflow_jobs SET visibility = 'public' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET prompt_text = 'x' WHERE prompt_text = 'brighter'",
    "UPDATE workflow_jobs SET model_used = NULL WHERE model_used IS NOT NULL",
    "UPDATE workflow_jobs SET inputs = inputs || '{\"width\": 641}' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET inputs = inputs || '{\"width\": \"640\"}' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET outputs = NULL WHERE status = 'completed' AND legacy_table = 'style_transfers'",
    "UPDATE workflow_jobs SET outputs = jsonb_set(outputs, '{files,0,path}', '\"x\"') WHERE outputs #>> '{files,0,kind}' = 'storage'",
    "UPDATE workflow_jobs SET result_urls = '[\"/storage/x\"]' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET comfyui_output_type = 'output' WHERE comfyui_output_type IS NULL AND comfyui_output_filename IS NOT NULL",
    "UPDATE workflow_jobs SET comfyui_output_subfolder = NULL WHERE comfyui_output_subfolder = 'platform'",
    "UPDATE workflow_jobs SET comfyui_output_filename = 'platform\\' || comfyui_output_filename WHERE comfyui_output_subfolder = 'platform'",
    "UPDATE workflow_jobs SET metadata = metadata #- '{legacy,anomalies,0}' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET metadata = jsonb_set(metadata, '{legacy,type_rule}', '\"audio\"') WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET legacy_row = legacy_row - 'status' WHERE legacy_id = 'prompt-0016'",
    "UPDATE workflow_jobs SET legacy_id = 'prompt-0017' WHERE legacy_id = 'prompt-0016'",
    "INSERT INTO workflow_jobs (id, job_id, workflow_type, workflow_name, status, origin, legacy_table, legacy_id) VALUES (gen_random_uuid(), 'z', 'x', 'x', 'completed', 'legacy', 'datasets', 'nobody')",
    "DELETE FROM caption_datasets WHERE name = 'Empty'",
    "DELETE FROM caption_dataset_items WHERE position = 2",
    "UPDATE caption_dataset_items SET caption = 'Error generating caption' WHERE position = 2",
    "UPDATE caption_dataset_items SET position = position + 10",
    "UPDATE caption_dataset_items SET image = image - 'path' WHERE position = 1",
    "UPDATE caption_datasets SET settings = settings - 'top_p' WHERE name = 'Hero'",
    "UPDATE caption_datasets SET name = 'hero' WHERE name = 'Hero'",
]  # fmt: skip


async def verified(target: str, source: str | None = None, **options) -> Verification:
    async with both(target, source) as (old, new):
        return await verify(old, new, apart=source is not None, pause_seconds=0, **options)


async def test_the_sample_is_right_and_listed_as_expected(sample_url: str) -> None:
    await taken(sample_url)
    file = io.StringIO()
    done = await verified(sample_url, each=Listing(file))
    assert done.right, done.differences
    assert sorted(file.getvalue().splitlines()) == sorted((DATA / "expected.csv").read_text().splitlines())


async def test_across_two_databases(schema_url: str, source_url: str) -> None:
    await taken(schema_url, source_url)
    done = await verified(schema_url, source_url)
    assert done.right, done.differences


async def test_every_planted_corruption_is_found(sample_url: str) -> None:
    await taken(sample_url)
    with psycopg.connect(sample_url, autocommit=True) as hand:
        hand.execute("INSERT INTO auth.users (id) VALUES ('00000000-0000-4000-8000-000000000001')")
        missed = []
        for corruption in CORRUPTIONS:
            assert hand.execute(sql.SQL(corruption)).rowcount, corruption
            if (await verified(sample_url)).right:
                missed.append(corruption)
            hand.execute("DELETE FROM workflow_jobs WHERE legacy_id !~ '^0a6f|^51'")
            hand.execute("DELETE FROM caption_datasets")
            await taken(sample_url)
        assert not missed
    assert (await verified(sample_url)).right


@pytest.mark.parametrize("seed", [1, 2])
async def test_both_sets_of_rules_agree_on_generated_rows(empty_url: str, seed: int) -> None:
    with psycopg.connect(empty_url, autocommit=True) as app:
        fill(app, random.Random(seed), 400)
    await taken(empty_url)
    done = await verified(empty_url)
    assert done.right, [one.as_dict() for one in done.differences[:8]]
    assert sum(done.rows.values()) > 1200


@pytest.mark.parametrize("processes", [2, 3, 7])
async def test_shares_are_the_whole(sample_url: str, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    monkeypatch.setattr(verify_module, "_WORTH_SHARING", 4)
    await taken(sample_url)
    with psycopg.connect(sample_url, autocommit=True) as hand:
        hand.execute("UPDATE workflow_jobs SET user_ip = '9.9.9.9' WHERE legacy_id ~ '[0-4]$'")
        changed = hand.execute("SELECT count(*) FROM workflow_jobs WHERE user_ip = '9.9.9.9'").fetchone()

    async def elsewhere(share: Share) -> Part:
        async with both(sample_url) as (old, new):
            return await compare(old, new, share)

    done = await verified(sample_url, elsewhere=elsewhere, processes=processes)
    assert done.rows == {"multitalk_jobs": 16, "style_transfers": 5, "edited_images": 5, "datasets": 2}
    assert (done.different["user_ip"],) == changed
