"""The old app: its own statements, as its clients send them, at a given rate or one after the other.

It knows the old tables by their names only, so it can't tell a table from a view. `Tale` gives the same statements
at every run; `tell` runs them and hands back what came back, with moments and ids that the database chose replaced
by which statement they came from, so that two databases can be compared column by column.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

Row = dict[str, Any]

SUBMIT: LiteralString = """
    INSERT INTO multitalk_jobs (job_id, status, timestamp_submitted, image_filename, audio_filename, width, height,
                                trim_to_audio, comfy_url)
    VALUES (%(job_id)s, 'submitted', %(at)s, %(image)s, %(audio)s, %(width)s, %(height)s, %(trim)s, %(comfy)s)
    RETURNING *"""
SUBMIT_BRIEFLY: LiteralString = """
    INSERT INTO public.multitalk_jobs (job_id, status, width, height, comfy_url)
    VALUES (%(job_id)s, 'submitted', %(width)s, %(height)s, %(comfy)s) RETURNING *"""
# The shape in which PostgREST sends what supabase-js asks for.
SUBMIT_BY_REST: LiteralString = """
    WITH pgrst_source AS (
        INSERT INTO "public"."multitalk_jobs" ("comfy_url", "height", "job_id", "status", "width")
        SELECT pgrst_body."comfy_url", pgrst_body."height", pgrst_body."job_id", pgrst_body."status", pgrst_body."width"
        FROM (SELECT %(body)s::json AS json_data) pgrst_payload,
        LATERAL (SELECT * FROM json_to_recordset(pgrst_payload.json_data)
                 AS _("comfy_url" varchar, "height" integer, "job_id" varchar, "status" varchar, "width" integer)) pgrst_body
        RETURNING "public"."multitalk_jobs".*)
    SELECT "pgrst_source".* FROM "pgrst_source" """
PROCESS: LiteralString = (
    "UPDATE multitalk_jobs SET status = 'processing' WHERE job_id = %(job_id)s RETURNING *"
)
COMPLETE: LiteralString = """
    UPDATE multitalk_jobs SET status = 'completed', timestamp_completed = %(at)s, filename = %(filename)s,
        subfolder = %(subfolder)s, video_url = %(url)s, error_message = NULL
    WHERE job_id = %(job_id)s RETURNING *"""
FAIL: LiteralString = """
    UPDATE multitalk_jobs SET status = 'error', timestamp_completed = %(at)s, error_message = %(error)s
    WHERE job_id = %(job_id)s RETURNING *"""
TIME_OUT: LiteralString = """
    UPDATE multitalk_jobs SET status = 'error', error_message = 'Job timed out - likely cancelled or failed'
    WHERE status IN ('submitted', 'processing') AND timestamp_submitted < %(at)s RETURNING job_id, status, error_message"""
EDIT: LiteralString = """
    INSERT INTO edited_images (source_image_url, prompt, user_ip, status)
    VALUES (%(source)s, %(prompt)s, %(ip)s, 'processing') RETURNING *"""
EDITED: LiteralString = """
    UPDATE edited_images SET status = 'completed', result_image_url = %(url)s, model_used = %(model)s,
        processing_time_seconds = %(seconds)s WHERE id = %(id)s RETURNING *"""
EDIT_FAILED: LiteralString = """
    UPDATE edited_images SET status = 'failed', model_used = %(model)s WHERE id = %(id)s RETURNING id, status, model_used"""
STYLE: LiteralString = """
    INSERT INTO style_transfers (source_image_url, style_image_url, prompt, comfyui_prompt_id, user_ip)
    VALUES (%(source)s, %(style)s, %(prompt)s, %(prompt_id)s, %(ip)s) RETURNING *"""
STYLED: LiteralString = """
    UPDATE style_transfers SET status = 'completed', result_image_url = %(url)s, processing_time_seconds = %(seconds)s
    WHERE comfyui_prompt_id = %(prompt_id)s RETURNING *"""
DATASET: LiteralString = """
    INSERT INTO datasets (name, character_trigger, settings) VALUES (%(name)s, %(trigger)s, %(settings)s) RETURNING *"""
ITEMS: LiteralString = """
    INSERT INTO data (dataset_id, image_url, image_name, caption)
    SELECT %(dataset)s, '', 'image ' || n || '.png', NULL FROM generate_series(1, %(n)s) AS n RETURNING *"""
CAPTION: LiteralString = """
    UPDATE data SET caption = %(caption)s, image_url = %(url)s
    WHERE dataset_id = %(dataset)s AND image_name = %(name)s RETURNING *"""
TOUCH: LiteralString = (
    "UPDATE datasets SET name = %(name)s, updated_at = now() WHERE id = %(dataset)s RETURNING *"
)
FORGET: LiteralString = "DELETE FROM datasets WHERE id = %(dataset)s RETURNING id, name"
FORGET_ITEM: LiteralString = (
    "DELETE FROM data WHERE dataset_id = %(dataset)s AND image_name = %(name)s RETURNING *"
)
FORGET_JOB: LiteralString = "DELETE FROM multitalk_jobs WHERE job_id = %(job_id)s RETURNING *"

# What its pages read.
READS: tuple[LiteralString, ...] = (
    "SELECT * FROM multitalk_jobs WHERE status = 'completed' AND filename IS NOT NULL"
    " ORDER BY timestamp_completed DESC NULLS LAST, job_id LIMIT 50",
    "SELECT * FROM multitalk_jobs WHERE status IN ('submitted', 'processing') ORDER BY timestamp_submitted DESC, job_id LIMIT 50",
    "SELECT * FROM multitalk_jobs ORDER BY created_at DESC, job_id LIMIT 100",
    "SELECT count(*) AS n, status FROM multitalk_jobs GROUP BY status ORDER BY status",
    "SELECT * FROM style_transfers WHERE result_image_url IS NOT NULL ORDER BY created_at DESC, prompt LIMIT 50",
    "SELECT * FROM style_transfers ORDER BY created_at DESC, prompt, comfyui_prompt_id LIMIT 100",
    "SELECT * FROM edited_images WHERE status <> 'failed' ORDER BY created_at DESC, prompt LIMIT 50",
    "SELECT * FROM edited_images ORDER BY created_at, prompt LIMIT 100",
    "SELECT d.*, (SELECT count(*) FROM data WHERE data.dataset_id = d.id) AS items FROM datasets AS d"
    " ORDER BY updated_at DESC NULLS LAST, name",
    "SELECT i.* FROM data AS i JOIN datasets AS d ON d.id = i.dataset_id ORDER BY d.name, i.created_at, i.image_name, i.caption",
)
# What the old tables refuse, they refuse for ever.
REFUSED: tuple[LiteralString, ...] = (
    "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url) VALUES ('odd', 'queued', 1, 1, 'http://c')",
    "INSERT INTO multitalk_jobs (job_id, status, width, height) VALUES ('odd', 'submitted', 1, 1)",
    "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url, trim_to_audio)"
    " VALUES ('odd', 'submitted', 1, 1, 'http://c', NULL)",
    "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url)"
    " SELECT job_id, 'submitted', 1, 1, 'http://c' FROM multitalk_jobs ORDER BY job_id LIMIT 1",
    "UPDATE multitalk_jobs SET status = 'done'",
    "UPDATE edited_images SET prompt = NULL",
    "INSERT INTO data (dataset_id, image_url, image_name) VALUES ('00000000-0000-4000-8000-000000000000', '', 'x.png')",
    "INSERT INTO style_transfers (source_image_url, style_image_url) VALUES ('a', 'b')",
    "INSERT INTO datasets (name, character_trigger, settings) VALUES ('n', 't', 'not json')",
    "UPDATE multitalk_jobs SET width = 'wide'",
)


class Told:
    """What came back, with what the database chose replaced by which statement it came from."""

    def __init__(self) -> None:
        self.lines: list[Any] = []
        self._moments: dict[datetime, str] = {}
        self._ids: dict[UUID, str] = {}
        self._known: set[UUID] = set()

    def moment(self, at: datetime) -> None:
        self._moments.setdefault(at, f"moment {len(self.lines)}")

    def masked(self, rows: list[Row]) -> list[list[tuple[str, Any]]]:
        return [[(column, self._mask(value)) for column, value in row.items()] for row in rows]

    def _mask(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return self._moments.get(value, value)
        if isinstance(value, UUID) and value.version == 4 and value not in self._known:
            return self._ids.setdefault(value, f"id {len(self._ids)}")
        return value


def tell(url: str, seed: int, *, chapters: int = 12, told: Told | None = None) -> Told:
    """Run the same tale on a database: every statement in a transaction of its own, what it gives noted down."""
    told = told or Told()
    with psycopg.connect(url, row_factory=dict_row, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")

        def run(statement: LiteralString, **params: Any) -> list[Row]:
            with connection.transaction():
                now = connection.execute("SELECT now() AS now").fetchone()
                assert now is not None
                told.moment(now["now"])
                cursor = connection.execute(statement, params)
                rows = cursor.fetchall() if cursor.description else []
            if "ORDER BY" not in statement:  # then it has none, in a table neither
                rows.sort(key=lambda row: str(row.get("prompt") or row.get("image_name")))
            told.lines.append((" ".join(statement.split())[:60], cursor.rowcount, told.masked(rows)))
            return rows

        for number in range(chapters):
            chapter(run, random.Random(f"{seed} {number}"), f"{seed}-{number}")
        for statement in READS:
            run(statement)
        for statement in REFUSED:
            told.lines.append((statement, *refusal(connection, statement)))
    return told


def refusal(connection: psycopg.Connection[Any], statement: LiteralString) -> tuple[Any, ...]:
    """What an app can tell an error by."""
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        told = error.diag
        return told.sqlstate, told.message_primary, told.column_name, told.constraint_name, told.table_name
    return ("taken",)


def chapter(run: Callable[..., list[Row]], random_: random.Random, name: str) -> None:
    """A day of the old app: every kind of job, each to an end of its own."""
    jobs(run, random_, name)
    images(run, random_, name)
    dataset(run, random_, name)


def jobs(run: Callable[..., list[Row]], random_: random.Random, name: str) -> None:
    start = datetime(2025, 11, 10, tzinfo=UTC) + timedelta(seconds=random_.randrange(1_000_000))
    for n, ending in enumerate(("complete", "fail", "stay", "stay", "forget")):
        job_id = f"live-{name}-{n}"
        size = {"width": random_.choice((512, 640)), "height": 512}
        match n:
            case 2:
                run(SUBMIT_BRIEFLY, job_id=job_id, comfy="https://comfy.example.net/", **size)
            case 3:
                body = Jsonb([{"job_id": job_id, "status": "submitted", "comfy_url": "http://c", **size}])
                run(SUBMIT_BY_REST, body=body)
            case _:
                run(
                    SUBMIT,
                    job_id=job_id,
                    at=start,
                    image=random_.choice(("ñandú.png", "clip.MOV", None)),
                    audio=random_.choice(("voz.mp3", "a.mp3, b.mp3", None, "")),
                    trim=random_.random() < 0.5,
                    comfy="https://comfy.example.net",
                    **size,
                )
        if ending != "stay":
            run(PROCESS, job_id=job_id)
        done = start + timedelta(seconds=random_.randrange(1, 5000), microseconds=random_.randrange(10**6))
        if ending == "complete":
            file = random_.choice(("platform\\wani2v_0001_.mp4", "lipsync1person_2.mp4", "x.mp4"))
            url = random_.choice(
                (f"https://abc.supabase.co/storage/v1/object/public/multitalk-videos/{name}.mp4", None)
            )
            run(
                COMPLETE,
                job_id=job_id,
                at=done,
                filename=file,
                subfolder=random_.choice((None, "", "s")),
                url=url,
            )
        elif ending == "fail":
            run(FAIL, job_id=job_id, at=done, error="CUDA: 'out' of \"memory\" \\ ñ")
        elif ending == "forget":
            run(FORGET_JOB, job_id=job_id)
    run(COMPLETE, job_id="nobody", at=start, filename=None, subfolder=None, url=None)
    run(TIME_OUT, at=start)


def images(run: Callable[..., list[Row]], random_: random.Random, name: str) -> None:
    source = f"https://abc.supabase.co/storage/v1/object/public/edited-images/source-images/{name}.png?"
    edit = run(
        EDIT, source=source, prompt=f"más luz {name}", ip=random_.choice(("unknown", "203.0.113.1", None))
    )
    run(
        EDITED,
        id=edit[0]["id"],
        url=source.replace("source-", "edited-"),
        model="google/gemini",
        seconds=random_.randrange(90),
    )
    edit = run(EDIT, source="data:image/png;base64,aGVsbG8=", prompt=f"oscuro {name}", ip=None)
    run(EDIT_FAILED, id=edit[0]["id"], model="Error: 429 rate limited")
    run(
        STYLE,
        source=source,
        style="blob:http://localhost/1",
        prompt=f"cubism {name}",
        prompt_id=f"p-{name}",
        ip="unknown",
    )
    run(STYLED, prompt_id=f"p-{name}", url=source, seconds=random_.randrange(90))
    # the same prompt id twice: both rows are completed by one statement
    run(STYLE, source=source, style=source, prompt=f"twice {name}", prompt_id=f"p-{name}", ip=None)
    run(STYLED, prompt_id=f"p-{name}", url=source, seconds=1)
    run(STYLE, source=source, style=source, prompt=f"pending {name}", prompt_id=None, ip=None)


def dataset(run: Callable[..., list[Row]], random_: random.Random, name: str) -> None:
    settings = {
        "caption_type": "Descriptive",
        "top_p": 0.9,
        "nested": [None, {"a": "ñ"}],
        "max_new_tokens": 512,
    }
    made = run(DATASET, name=f"Hero {name}", trigger="h3r0", settings=Jsonb(settings))[0]["id"]
    run(ITEMS, dataset=made, n=4)
    run(CAPTION, dataset=made, name="image 1.png", caption="h3r0 walks", url="https://e.example.org/1.png")
    run(CAPTION, dataset=made, name="image 2.png", caption="Error generating caption", url="")
    run(FORGET_ITEM, dataset=made, name="image 4.png")
    run(TOUCH, dataset=made, name=f"Hero {name} again")
    gone = run(DATASET, name=f"Gone {name}", trigger="", settings=Jsonb({}))[0]["id"]
    run(ITEMS, dataset=gone, n=2)
    run(FORGET, dataset=gone)


@dataclass
class Load:
    """What an app under load saw."""

    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    finished: dict[str, Row] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def slowest(self) -> float:
        """Seconds."""
        return max(self.latencies, default=0)

    def percentile(self, share: float) -> float:
        """Seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


@contextmanager
def running(
    url: str, *, rate: float, people: int = 4, tag: str = "load", prepared: bool = True
) -> Iterator[Load]:
    """The old app at `rate` writes a second, by several people at once, for as long as the block lasts."""
    load, stop = Load(), threading.Event()
    threads = [
        threading.Thread(
            target=_person, args=(url, load, stop, rate / people, f"{tag}-{n}", prepared), daemon=True
        )
        for n in range(people)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def _person(url: str, load: Load, stop: threading.Event, rate: float, name: str, prepared: bool) -> None:
    with psycopg.connect(
        url, row_factory=dict_row, autocommit=True, prepare_threshold=2 if prepared else None
    ) as connection:
        due, number = time.monotonic(), 0

        def run(statement: LiteralString, **params: Any) -> list[Row]:
            nonlocal due
            due = max(due + 1 / rate, time.monotonic() - 1)
            stop.wait(max(0, due - time.monotonic()))
            began = time.monotonic()
            try:
                cursor = connection.execute(statement, params)
                rows = cursor.fetchall() if cursor.description else []
            except psycopg.Error as error:
                with load.lock:
                    load.errors.append(
                        f"{type(error).__name__}: {error} in {' '.join(statement.split())[:60]}"
                    )
                raise
            with load.lock:
                load.latencies.append(time.monotonic() - began)
            return rows

        while not stop.is_set():
            number += 1
            try:
                _story(run, load, f"{name}-{number}")
            except psycopg.Error:
                continue


def _story(run: Callable[..., list[Row]], load: Load, name: str) -> None:
    """One job and one dataset, with a look at each row after the writes."""
    at = datetime(2025, 11, 10, 12, tzinfo=UTC)
    run(
        SUBMIT,
        job_id=name,
        at=at,
        image="a.png",
        audio=None,
        width=640,
        height=360,
        trim=False,
        comfy="http://c/",
    )
    run(PROCESS, job_id=name)
    done = run(
        COMPLETE,
        job_id=name,
        at=at + timedelta(seconds=9.5),
        filename="wani2v_1.mp4",
        subfolder=None,
        url=None,
    )
    read = run("SELECT * FROM multitalk_jobs WHERE job_id = %(job_id)s", job_id=name)
    if len(done) != 1 or read != done:
        load.surprises.append(f"{name}: wrote {done}, read {read}")
    edit = run(EDIT, source="data:,x", prompt=name, ip="unknown")
    edited = run(EDITED, id=edit[0]["id"], url="https://e.example.org/x.png", model="m", seconds=4)
    if len(edited) != 1 or edited[0]["prompt"] != name:
        load.surprises.append(f"{name}: edited {edited}")
    made = run(DATASET, name=name, trigger="t", settings=Jsonb({"n": 1}))[0]["id"]
    items = run(ITEMS, dataset=made, n=2)
    captioned = run(CAPTION, dataset=made, name="image 1.png", caption="c", url="")
    if len(items) != 2 or len(captioned) != 1:
        load.surprises.append(f"{name}: items {items}, captioned {captioned}")
    with load.lock:
        load.finished |= {name: done[0], str(edit[0]["id"]): edited[0]}
