"""A takeover: rows a second of migrate as a ratio to one plain INSERT … SELECT of the same rows into the same
indexed table, and of verify; memory of this process and of the server's."""

import asyncio
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import psycopg

from bench.figures import keep, machine, options, show
from bench.places import folder, postgres
from rushes.adapters.postgres.legacy import open_legacy
from rushes.bootstrap.takeover import comparing_elsewhere
from rushes.legacy.transfer import Choices, migrate
from rushes.legacy.verify import verify

OLD = """
CREATE TABLE multitalk_jobs (job_id varchar PRIMARY KEY, status varchar NOT NULL, timestamp_submitted timestamptz NOT NULL DEFAULT now(),
    timestamp_completed timestamptz, filename varchar, subfolder varchar, image_filename varchar, audio_filename varchar, width integer NOT NULL,
    height integer NOT NULL, trim_to_audio boolean NOT NULL DEFAULT false, comfy_url varchar NOT NULL, error_message text, video_url text,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
CREATE TABLE style_transfers (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), created_at timestamptz NOT NULL DEFAULT now(), source_image_url text NOT NULL,
    style_image_url text NOT NULL, prompt text NOT NULL, result_image_url text, workflow_name text NOT NULL DEFAULT 'StyleTransfer', model_used text,
    processing_time_seconds integer, user_ip text, status text NOT NULL DEFAULT 'pending', comfyui_prompt_id text, error_message text, updated_at timestamptz);
CREATE TABLE edited_images (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), created_at timestamptz NOT NULL DEFAULT now(), source_image_url text NOT NULL,
    prompt text NOT NULL, result_image_url text, workflow_name text NOT NULL DEFAULT 'image-edit', model_used text, processing_time_seconds integer,
    user_ip text, status text NOT NULL DEFAULT 'pending');
CREATE TABLE datasets (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text NOT NULL, character_trigger text NOT NULL, settings jsonb NOT NULL,
    created_at timestamptz DEFAULT now(), updated_at timestamptz DEFAULT now());
CREATE TABLE data (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), dataset_id uuid NOT NULL REFERENCES datasets ON DELETE CASCADE, image_url text NOT NULL,
    image_name text NOT NULL, caption text, created_at timestamptz DEFAULT now());
CREATE INDEX ON data (dataset_id);
"""
# Every quirk comes by the row's number, so that every run has the same rows.
ROWS = (
    """INSERT INTO multitalk_jobs
    SELECT md5('m' || n)::uuid::text, (ARRAY['completed','completed','completed','completed','error','processing'])[1 + n %% 6], at,
        CASE WHEN n %% 6 < 5 THEN at + (n %% 7200 - 60) * interval '1 s' END,
        (ARRAY['lipsync1person_%%s-audio.mp4','platform\\wani2v_%%s_.mp4','img2img_%%s_.png','lipsync_multiple_%%s.mp4','final %%s.mp4',NULL])[1 + n %% 7 %% 6],
        NULL, 'portrait ' || n || (ARRAY['.png','.MOV','.jpg'])[1 + n %% 3], (ARRAY['voice.mp3',NULL,'multiple_masks_audio','a.mp3, b.mp3'])[1 + n %% 4],
        640, 360, n %% 2 = 0, (ARRAY['https://comfy.example.net/','http://localhost:8188'])[1 + n %% 2],
        CASE WHEN n %% 6 = 4 THEN (ARRAY['Job timed out - likely cancelled or failed','CUDA out of memory'])[1 + n %% 2] END,
        CASE n %% 4 WHEN 0 THEN 'https://abc.supabase.co/storage/v1/object/sign/multitalk-videos/videos/2025-09-10/' || n || '_x.mp4?token=eyJhbGciOiJIUzI1NiJ9.e30.c2ln'
                    WHEN 1 THEN 'https://abc.supabase.co/storage/v1/object/public/multitalk-videos/videos/' || n || '.mp4' END, at, at
    FROM (SELECT n, timestamptz '2024-01-01' + n * interval '7 s' AS at FROM generate_series(1, %(multitalk)s) AS n) AS g""",
    """INSERT INTO style_transfers
    SELECT md5('s' || n)::uuid, at, 'https://abc.supabase.co/storage/v1/object/public/edited-images/src/' || n || '.png?', 'blob:http://localhost/' || n,
        'van gogh, "starry" night over number ' || n, CASE WHEN n %% 3 > 0 THEN 'https://comfy.example.net/api/view?filename=ComfyUI_' || n || '_.png&subfolder=&type=output' END,
        'StyleTransfer', 'Flux', n %% 100, '203.0.113.9', (ARRAY['completed','completed','failed','pending'])[1 + n %% 4],
        CASE WHEN n %% 50 = 0 THEN 'same-' || n %% 1000 ELSE md5('p' || n) END, NULL, NULL
    FROM (SELECT n, timestamptz '2024-06-01' + n * interval '11 s' AS at FROM generate_series(1, %(style)s) AS n) AS g""",
    """INSERT INTO edited_images
    SELECT md5('e' || n)::uuid, at, CASE n %% 20 WHEN 0 THEN 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk'
        ELSE 'https://abc.supabase.co/storage/v1/object/public/edited-images/source-images/' || n || '.png?' END, 'make it winter, version ' || n,
        'https://abc.supabase.co/storage/v1/object/public/edited-images/edited-images/' || n || '.png?', (ARRAY['image-edit','openrouter-gemini','StyleTransfer'])[1 + n %% 3],
        CASE WHEN n %% 5 = 0 THEN 'Error: 429 rate limited' ELSE 'google/gemini' END, n %% 60, 'unknown', CASE WHEN n %% 5 = 0 THEN 'failed' ELSE 'completed' END
    FROM (SELECT n, timestamptz '2024-03-01' + n * interval '9 s' AS at FROM generate_series(1, %(edited)s) AS n) AS g""",
    """INSERT INTO datasets SELECT md5('d' || n)::uuid, 'Hero ' || n, 'h3r0', '{"caption_type": "Descriptive", "max_new_tokens": 512}', '2024-05-01', '2024-05-01'
    FROM generate_series(1, %(sets)s) AS n""",
    """INSERT INTO data SELECT md5('i' || n)::uuid, md5('d' || (1 + n %% %(sets)s))::uuid, 'https://abc.supabase.co/storage/v1/object/public/images/' || n || '.png',
        n || '.png', 'h3r0 walks ' || n, '2024-05-01' FROM generate_series(1, %(sets)s * 8) AS n""",
)


def main(arguments: list[str]) -> None:
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="old rows")
    parser.add_argument("--batch", type=int, default=Choices().batch_rows, help="rows a transaction")
    asked = parser.parse_args(arguments)
    with folder() as at, postgres(at) as url:
        row = measured(url, asked.rows, asked.batch)
    show(f"Takeover of {asked.rows:,} rows ({machine()})", [row])
    keep(asked.out, "legacy", [row])


def measured(url: str, rows: int, batch: int) -> dict[str, Any]:
    """All three rates on one database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(OLD)
        shares = {
            "multitalk": rows * 6 // 10,
            "style": rows // 10,
            "edited": rows * 28 // 100,
            "sets": rows // 50,
        }
        for statement in ROWS:
            with psycopg.ClientCursor(connection) as cursor:
                cursor.execute(statement, shares)
        for name in ("multitalk_jobs", "style_transfers", "edited_images", "datasets", "data"):
            connection.execute(f"VACUUM ANALYZE {name}".encode())
        connection.execute("CHECKPOINT")
        with clock() as taken:
            asyncio.run(_migrate(url, batch))
        taking = taken()
        with clock() as taken:
            asyncio.run(_verify(url))
        verifying = taken()
        count = connection.execute("SELECT count(*) FROM workflow_jobs").fetchone()
        connection.execute("CREATE TABLE kept AS SELECT * FROM workflow_jobs")
        connection.execute("TRUNCATE workflow_jobs CASCADE")
        connection.execute("CHECKPOINT")
        with clock() as taken:
            connection.execute("INSERT INTO workflow_jobs SELECT * FROM kept")
        plain = taken()
    assert count
    n = int(count[0])
    return {
        "rows": n,
        "migrate/s": round(n / taking),
        "plain/s": round(n / plain),
        "ratio": round(plain / taking, 2),
        "verify/s": round(n / verifying),
        "memory MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


async def _migrate(url: str, batch: int) -> None:
    async with open_legacy(url) as source, open_legacy(url) as target:
        await migrate(source, target, apart=False, choices=Choices(batch_rows=batch))


async def _verify(url: str) -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        async with open_legacy(url) as source, open_legacy(url) as target:
            done = await verify(
                source, target, apart=False, elsewhere=comparing_elsewhere(url, url, pool), processes=2
            )
        assert done.right, [one.as_dict() for one in done.differences[:5]]


@contextmanager
def clock() -> Iterator[Callable[[], float]]:
    """Afterwards, how long the block took, in seconds."""
    began = time.perf_counter()
    ended: list[float] = []
    yield lambda: ended[0] - began
    ended.append(time.perf_counter())
