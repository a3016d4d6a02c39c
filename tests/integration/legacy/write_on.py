"""A writer as the old app is one, for so many seconds: inserts, updates, deletes, and prompt ids that repeat."""

import random
import sys
import time

import psycopg

STATEMENTS = (
    """INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url, created_at, timestamp_submitted)
       VALUES ('w-%(n)s', 'submitted', 512, 512, 'http://c', '2025-03-01', '2025-03-01')""",
    """UPDATE multitalk_jobs SET status = 'completed', filename = 'wan_%(n)s.mp4', timestamp_completed = timestamp_submitted + '3 s'
       WHERE job_id = 'w-%(m)s'""",
    "DELETE FROM multitalk_jobs WHERE job_id = 'w-%(m)s' AND random() < 0.1",
    """INSERT INTO style_transfers (source_image_url, style_image_url, prompt, comfyui_prompt_id, created_at)
       VALUES ('blob:x', '', 'w', 'w-%(m)s', '2025-03-02')""",
    "UPDATE style_transfers SET comfyui_prompt_id = 'p-%(m)s', status = 'failed' WHERE prompt = 'w' AND random() < 0.1",
    "INSERT INTO edited_images (source_image_url, prompt, created_at) VALUES ('data:image/png;base64,AA', 'w', '2025-03-03')",
    "DELETE FROM edited_images WHERE prompt = 'w' AND random() < 0.05",
    "INSERT INTO datasets (name, character_trigger, settings, created_at) VALUES ('w%(n)s', '', '{}', '2025-03-04')",
    """INSERT INTO data (dataset_id, image_url, image_name, created_at) SELECT id, '', n || '.png', '2025-03-05'
       FROM datasets, generate_series(1, 3) AS n WHERE name = 'w%(m)s'""",
    "UPDATE data SET caption = 'c' WHERE random() < 0.1",
)


def main(url: str, seconds: float) -> None:
    chosen = random.Random(7)
    end = time.monotonic() + seconds
    with psycopg.connect(url, autocommit=True) as app:
        n = 0
        while time.monotonic() < end:
            n += 1
            time.sleep(0.004)  # about 200 writes a second
            app.execute(chosen.choice(STATEMENTS) % {"n": n, "m": chosen.randrange(max(1, n - 40), n + 1)})


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
