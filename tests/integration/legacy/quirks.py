"""Old rows with every quirk at random, seeded."""

import random
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

BASE = "https://abc.supabase.co/storage/v1/object"
NAMES = ["lipsync1person_1.mp4", "WANVIDEO2_1_multitalk_2.mp4", "wanvideo2_1_Multitalk_multiple.mp4", "multitalk_multiple_video.mp4",
         "platform\\wani2v_1_.mp4", "a/b\\c/wan_2.mp4", "wan0.mp4", "WanI2V.mp4", "img2img_1.PNG", "x.JPEG", "final cut ñ.mp4", "AnimateDiff-1.mp4",
         "VideoLipsync.mp4", "folder\\", "", None, None, "wanted.webp", "Wan.mp4"]  # fmt: skip
INPUTS = ["a.png", "clip.MOV", "señora.jpg", "v.webm", "", None, "two.mp4.png"]
AUDIO = [None, None, "voz.mp3", "multiple_masks_audio", "a.mp3, b.mp3", "a.mp3,b.mp3", "", "a.mp3, "]
URLS = [None, None, "", "?", f"{BASE}/public/b/x/y.png?", f"{BASE}/sign/multitalk-videos/v/2025/a_1.mp4?token=e.e.e", f"{BASE}/sign/multitalk-videos/v.png?token=",
        f"{BASE}/public/multitalk-videos/a%20b%C3%B1.jpg", f"{BASE}/public/b/bad%zz.png", f"{BASE}/public/b/%ff.png", f"{BASE}/public/b/%00", f"{BASE}/public/b/",
        f"{BASE}/private/b/c.png", f"{BASE}/authenticated/b/c.png#x", "blob:http://localhost/1", "data:image/png;base64,iVBORw0KGgo=", "data:,", "data:nothing",
        "https://c.example/api/view?filename=a+b.png&subfolder=&type=output", "http://c:8188/view?type=temp&filename=x%2Fy.mp4", "http://c/view?subfolder=x",
        "http://c/view?filename=&type=output", "http://c/view?filename=%E0%A4%A.png", "http://c/prefix/view?filename=a&filename=b#c", "https://elsewhere.example/p.jpg?x=/storage/v1/object/public/b/c.png",
        "https://elsewhere.example/", "ftp://x/y.png", "just-a-name.png", "HTTPS://UPPER/x.png", "https://e.example/a?b?c??", "//host/x.png", "a\\b.png"]  # fmt: skip
TIMES = ["2025-09-10 14:00:00.123456+00", "2025-11-09 00:00:00+00", "2025-11-08 23:59:59.999999+00", "0001-01-01 00:00:00+00", "294276-12-31 23:59:59.999999+00",
         "infinity", "-infinity", "0044-03-15 12:00:00+00 BC", "4713-12-01 00:00:00+00 BC", "1969-12-31 23:59:59.999999+00", "2024-02-29 12:30:00.5+00", "10000-01-01 00:00:00+00", None]  # fmt: skip
STATUS = ["completed", "completed", "error", "submitted", "processing"]
FREE = ["completed", "failed", "pending", "processing", "error", "cancelled", "queued", "COMPLETED", ""]
ERRORS = [
    None,
    "",
    "Error: ",
    "Error: boom",
    "Job timed out - likely cancelled or failed",
    "Error: Job exceeded maximum runtime (4 hours)",
    "no",
]
MODELS = [
    None,
    "",
    "flux",
    "Error: 429",
    "Error: Job timed out - likely cancelled or failed",
    "error: x",
    "Error:",
]
PROMPTS = [None, "", "p1", "p2", "p3", "p4", "p5", "p6", "m-3", "m-5"]
IPS = [None, "unknown", "", "10.0.0.1", "1.2.3.4, 5.6.7.8"]
SECONDS = [None, None, 0, -1, 11, 86400, 86401]
CAPTIONS = [
    None,
    "",
    "fine",
    "Error generating caption",
    "[x] ComfyUI processing failed: y",
    "Error generating caption ",
]
IMAGES = [
    "1.png",
    "2.png",
    "10.png",
    "01.png",
    "a10b2.png",
    "a10b10.png",
    "B.png",
    "ä.png",
    "",
    "007",
    "٣.png",
]
SETTINGS: list[Any] = [
    {},
    {"caption_type": "x", "max_new_tokens": 5, "top_p": 0.9, "user_prompt": {"a": None}},
    [],
    "text",
    5,
    {"temperature": None},
]


def fill(app: psycopg.Connection, chosen: random.Random, rows: int) -> None:
    """So many rows of each of the three large tables, and a tenth of it of datasets."""
    pick = chosen.choice

    def when() -> str | None:
        return (
            pick(TIMES)
            if chosen.random() < 0.5
            else f"2025-{chosen.randrange(1, 13):02}-{chosen.randrange(1, 29):02} 10:00:{chosen.randrange(60):02}.{chosen.randrange(10**6):06}+00"
        )

    with app.cursor() as cursor:
        app.execute("ALTER TABLE data ALTER image_url DROP NOT NULL")
        cursor.executemany(
            "INSERT INTO multitalk_jobs VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)",
            [
                (f"m-{n}", pick(STATUS), when() or "2025-06-01", when(), pick(NAMES), pick([None, None, "", "sub", "s\\t"]), pick(INPUTS), pick(AUDIO), pick([512, 640]),
                 pick([512, 360]), pick([True, False, False]), pick(["http://c/", "https://x//", "", "/"]), pick(ERRORS), pick(URLS), when(), when())
                for n in range(rows)
            ],
        )  # fmt: skip
        cursor.executemany(
            """INSERT INTO style_transfers (created_at, source_image_url, style_image_url, prompt, result_image_url, workflow_name, model_used,
               processing_time_seconds, user_ip, status, comfyui_prompt_id, error_message, updated_at) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
            [
                (when() or "2025-06-01", pick(URLS) or "", pick(URLS) or "", pick(["", "é \\ \"x\""]), pick(URLS), pick(["StyleTransfer", "", "z"]), pick(MODELS), pick(SECONDS),
                 pick(IPS), pick(FREE), pick(PROMPTS) if n % 2 else f"unique-{n}", pick(ERRORS), when())
                for n in range(rows)
            ],
        )  # fmt: skip
        cursor.executemany(
            """INSERT INTO edited_images (created_at, source_image_url, prompt, result_image_url, workflow_name, model_used, processing_time_seconds, user_ip,
               status) VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s)""",
            [
                (when() or "2025-06-01", pick(URLS) or "", pick(["", "p"]), pick(URLS), pick(["StyleTransfer", "image-edit", "openrouter-gemini"]), pick(MODELS), pick(SECONDS),
                 pick(IPS), pick(FREE))
                for n in range(rows)
            ],
        )  # fmt: skip
        for n in range(rows // 10):
            app.execute("INSERT INTO datasets (name, character_trigger, settings, created_at, updated_at) VALUES (%s, %s, %s, %s, %s)",
                        (f"d{n}", pick(["", "t"]), Jsonb(pick(SETTINGS)), when(), when()))  # fmt: skip
            for _ in range(chosen.randrange(6)):
                app.execute("""INSERT INTO data (dataset_id, image_url, image_name, caption, created_at)
                               SELECT id, %s, %s, %s, %s FROM datasets WHERE name = %s""", (pick(URLS), pick(IMAGES), pick(CAPTIONS), when(), f"d{n}"))  # fmt: skip
