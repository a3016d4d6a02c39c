"""What the old app does with a row from its first statement to its last, and what the row must be after each."""

import json
import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from bench.old_rows import sharing

Row = dict[str, Any]

KEYS = {
    "multitalk_jobs": "job_id",
    "style_transfers": "id",
    "edited_images": "id",
    "datasets": "id",
    "data": "id",
}
# What a row has in the columns that nobody names; `...`: the database chooses.
DEFAULTS: dict[str, Row] = {
    "multitalk_jobs": {
        "timestamp_submitted": ..., "timestamp_completed": None, "filename": None, "subfolder": None,
        "image_filename": None, "audio_filename": None, "trim_to_audio": False, "error_message": None,
        "video_url": None, "created_at": ..., "updated_at": ...,
    },
    "style_transfers": {
        "id": ..., "created_at": ..., "result_image_url": None, "workflow_name": "StyleTransfer", "model_used": None,
        "processing_time_seconds": None, "user_ip": None, "status": "pending", "comfyui_prompt_id": None,
        "error_message": None, "updated_at": None,
    },
    "edited_images": {
        "id": ..., "created_at": ..., "result_image_url": None, "workflow_name": "image-edit", "model_used": None,
        "processing_time_seconds": None, "user_ip": None, "status": "pending",
    },
    "datasets": {"id": ..., "created_at": ..., "updated_at": ...},
    "data": {"id": ..., "caption": None, "created_at": ...},
}  # fmt: skip
STORAGE = "https://abc.supabase.co/storage/v1/object/public"


@dataclass(frozen=True, slots=True)
class Statement:
    sql: str
    values: Row
    table: str
    key: Any = None  # of the row it writes, where that is known before


Story = Generator[Statement, list[Row], None]
Told = Generator[Statement, list[Row], Row]


@dataclass(slots=True)
class Book:
    """What every row must be, by table and key; None: it must be gone."""

    old_rows: int
    rows: dict[tuple[str, str], str | None] = field(default_factory=dict)
    unknown: set[tuple[str, str]] = field(default_factory=set)

    def write(self, table: str, row: Row) -> None:
        self.rows[table, str(row[KEYS[table]])] = as_text(row)

    def gone(self, table: str, key: object) -> None:
        self.rows[table, str(key)] = None

    def forget(self, statement: Statement) -> None:
        """Nobody knows what an error left behind."""
        self.unknown.add((statement.table, str(statement.key)))

    def close(self, path: Path) -> None:
        with path.open("w") as file:
            for (table, key), row in self.rows.items():
                if (table, key) not in self.unknown:
                    file.write(json.dumps([table, key, row]) + "\n")


def as_text(row: Row) -> str:
    """The same row gives the same text."""
    return json.dumps(row, default=str, sort_keys=True)


def stories(book: Book) -> Iterator[Story]:
    """One after the other, for ever, the same at every run."""
    chosen, number = random.Random(7), 0
    kinds = (_job, _style, _edit, _dataset, _old_job, _old_item, _old_edit)
    while True:
        number += 1
        kind = chosen.choices(kinds, weights=(40, 12, 20, 8, 12, 7, 1))[0]
        yield kind(book, random.Random(number), number)


def _insert(book: Book, table: str, **values: Any) -> Told:
    names = ", ".join(values)
    places = ", ".join(f"%({name})s" for name in values)
    sql = f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING *"
    rows = yield Statement(sql, values, table, values.get(KEYS[table]))
    assert len(rows) == 1, f"{table}: inserted {rows}"
    _same(table, rows[0], DEFAULTS[table] | values)
    book.write(table, rows[0])
    return rows[0]


def _update(book: Book, table: str, was: Row, **values: Any) -> Told:
    key = KEYS[table]
    sets = ", ".join(f"{name} = %({name})s" for name in values)
    sql = f"UPDATE {table} SET {sets} WHERE {key} = %(key)s RETURNING *"
    rows = yield Statement(sql, {**values, "key": was[key]}, table, was[key])
    assert len(rows) == 1, f"{table} {was[key]}: updated {rows}"
    stamped = {"updated_at": ...} if table == "multitalk_jobs" else {}
    _same(table, rows[0], (was if len(was) > 1 else {}) | values | stamped)
    if stamped and "updated_at" in was:
        assert rows[0]["updated_at"] > was["updated_at"], f"{table} {was[key]}: {rows[0]['updated_at']}"
    book.write(table, rows[0])
    return rows[0]


def _delete(book: Book, table: str, key: object, name: str = "") -> Told:
    name = name or KEYS[table]
    rows = yield Statement(
        f"DELETE FROM {table} WHERE {name} = %(key)s RETURNING *", {"key": key}, table, key
    )
    assert len(rows) == 1, f"{table} {key}: deleted {rows}"
    book.gone(table, key)
    return rows[0]


def _same(table: str, row: Row, wanted: Row) -> None:
    for name, value in wanted.items():
        has = row[name]
        same = has is not None if value is ... else has == (value.obj if isinstance(value, Jsonb) else value)
        assert same, f"{table}.{name}: {has!r}, not {value!r}"


def _job(book: Book, chosen: random.Random, number: int) -> Story:
    row = yield from _insert(
        book,
        "multitalk_jobs",
        job_id=f"live-{number}",
        status="submitted",
        width=640,
        height=360,
        comfy_url="https://comfy.example.net/",
        image_filename=f"ñandú {number}.png",
        audio_filename=chosen.choice(("voz.mp3", None, "a.mp3, b.mp3", "")),
    )
    row = yield from _update(book, "multitalk_jobs", row, status="processing")
    if chosen.random() < 0.8:
        row = yield from _update(
            book,
            "multitalk_jobs",
            row,
            status="completed",
            timestamp_completed=row["updated_at"],
            filename=chosen.choice(("platform\\wani2v_%s.mp4", "lipsync1person_%s.mp4", "x_%s.mp4")) % number,
            video_url=chosen.choice((f"{STORAGE}/multitalk-videos/videos/{number}.mp4", None)),
        )
    else:
        row = yield from _update(
            book,
            "multitalk_jobs",
            row,
            status="error",
            timestamp_completed=row["updated_at"],
            error_message="CUDA: 'out' of \"memory\" \\ ñ",
        )
    if chosen.random() < 0.03:
        yield from _delete(book, "multitalk_jobs", row["job_id"])


def _style(book: Book, chosen: random.Random, number: int) -> Story:
    row = yield from _insert(
        book,
        "style_transfers",
        source_image_url=f"{STORAGE}/edited-images/src/{number}.png?",
        style_image_url="blob:http://localhost/1",
        prompt=f"cubism {number}",
        # some prompt ids repeat
        comfyui_prompt_id=chosen.choice((f"p-{number}", f"p-{number}", f"twice-{number // 40}", None)),
    )
    done: Row = {"status": "failed", "error_message": "no"}
    if chosen.random() < 0.8:
        done = {
            "status": "completed",
            "result_image_url": f"{STORAGE}/edited-images/{number}.png",
            "processing_time_seconds": 9,
        }
    yield from _update(book, "style_transfers", row, **done)


def _edit(book: Book, chosen: random.Random, number: int) -> Story:
    row = yield from _insert(
        book,
        "edited_images",
        source_image_url=chosen.choice(
            (f"{STORAGE}/edited-images/{number}.png?", "data:image/png;base64,aGVsbG8=")
        ),
        prompt=f"más luz {number}",
        user_ip=chosen.choice(("unknown", "203.0.113.1", None)),
        status="processing",
    )
    done: Row = {"status": "failed", "model_used": "Error: 429 rate limited"}
    if chosen.random() < 0.8:
        done = {
            "status": "completed", "model_used": "google/gemini", "processing_time_seconds": chosen.randrange(90),
            "result_image_url": f"{STORAGE}/edited-images/edited-images/{number}.png",
        }  # fmt: skip
    yield from _update(book, "edited_images", row, **done)


def _dataset(book: Book, chosen: random.Random, number: int) -> Story:
    settings = {"caption_type": "Descriptive", "top_p": 0.9, "nested": [None, {"a": "ñ"}]}
    made = yield from _insert(
        book, "datasets", name=f"Hero {number}", character_trigger="h3r0", settings=Jsonb(settings)
    )
    items = yield Statement(
        "INSERT INTO data (dataset_id, image_url, image_name) SELECT %(dataset)s, '', 'image ' || n || '.png'"
        " FROM generate_series(1, 4) AS n RETURNING *",
        {"dataset": made["id"]},
        "data",
    )
    assert len(items) == 4, f"data of {made['id']}: inserted {items}"
    for item in items:
        _same("data", item, DEFAULTS["data"] | {"dataset_id": made["id"], "image_url": ""})
        book.write("data", item)
    for item in items[:3]:
        yield from _update(
            book,
            "data",
            item,
            caption=chosen.choice(("h3r0 walks", "Error generating caption")),
            image_url=f"{STORAGE}/images/{number}.png",
        )
    if chosen.random() < 0.3:
        yield from _delete(book, "data", items[3]["id"])
    yield from _update(book, "datasets", made, name=f"Hero {number} again")
    if chosen.random() < 0.1:
        yield from _delete(book, "datasets", made["id"])
        for item in items:
            book.gone("data", item["id"])


def _old_job(book: Book, chosen: random.Random, number: int) -> Story:
    """One that was processing when everything began; each number once."""
    n = 5 + 6 * number
    if n > sharing(book.old_rows)["multitalk"]:
        yield from _job(book, chosen, number)
        return
    yield from _update(
        book, "multitalk_jobs", {"job_id": str(_id("m", n))}, status="completed", filename=f"wani2v_{n}.mp4"
    )


def _old_item(book: Book, chosen: random.Random, number: int) -> Story:
    if number > sharing(book.old_rows)["sets"]:
        yield from _edit(book, chosen, number)
        return
    yield from _update(book, "data", {"id": _id("i", number)}, caption=f"h3r0 runs {number}")


def _old_edit(book: Book, chosen: random.Random, number: int) -> Story:
    if number > sharing(book.old_rows)["edited"]:
        yield from _edit(book, chosen, number)
        return
    yield from _delete(book, "edited_images", _id("e", number))


def _id(kind: str, n: int) -> UUID:
    """As bench.old_rows makes them."""
    return UUID(md5(f"{kind}{n}".encode(), usedforsecurity=False).hexdigest())
