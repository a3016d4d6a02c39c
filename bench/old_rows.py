"""Old tables as the bench fills them: the law's schema, and rows with every quirk, the same at every run."""

from pathlib import Path
from typing import Any

import psycopg

SCHEMA = Path(__file__).parents[1] / "tests" / "data" / "legacy" / "schema.sql"
TABLES = ("multitalk_jobs", "style_transfers", "edited_images", "datasets", "data")
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


def sharing(rows: int) -> dict[str, int]:
    """How many of each kind there are among so many; a dataset and its items count as one."""
    return {
        "multitalk": rows * 6 // 10,
        "style": rows // 10,
        "edited": rows * 28 // 100,
        "sets": max(rows // 50, 1),
    }


def fill(connection: psycopg.Connection[Any], rows: int) -> None:
    """Make the old tables with about so many rows, a dataset and its items counted as one."""
    connection.execute(SCHEMA.read_bytes())
    for statement in ROWS:
        with psycopg.ClientCursor(connection) as cursor:
            cursor.execute(statement, sharing(rows))
    for name in TABLES:
        connection.execute(f"VACUUM ANALYZE {name}".encode())
    connection.execute("CHECKPOINT")
