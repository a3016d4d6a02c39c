"""Jobs in any state, written past the triggers, as the database would have them after their story."""

import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from rushes.domain.principal import Principal

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
_serial = itertools.count(os.getpid() << 20)


def uuid7(moment: datetime) -> UUID:
    """An id of that moment; of one millisecond, the later one is the higher."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | next(_serial))


@dataclass(frozen=True, kw_only=True)
class Row:
    """A job with what the feed filters by."""

    owner: Principal
    created_at: datetime = NOON
    workflow_type: str = "img2img"
    status: str = "completed"
    visibility: str = "private"
    kinds: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    title: str | None = None
    prompt_text: str | None = None
    rating: int | None = None
    tags: tuple[str, ...] = ()
    deleted: bool = False
    id: UUID = field(default=UUID(int=0))

    def __post_init__(self) -> None:
        if not self.id.int:
            object.__setattr__(self, "id", uuid7(self.created_at))

    @property
    def outputs(self) -> dict[str, Any] | None:
        if self.status != "completed":
            return None
        files = [self.file(kind, place) for place, kind in enumerate(self.kinds)]
        return {
            "files": files,
            "texts": [{"node_id": "9", "text": text} for text in self.texts],
            "reused": False,
        }

    def file(self, kind: str, place: int = 0) -> dict[str, Any]:
        folder = f"workflows/{self.workflow_type}/{self.id}"
        return {
            "name": f"output-{place}.bin", "kind": kind, "key": f"{folder}/output-{place}.bin",
            "content_type": f"{kind}/x", "size_bytes": 10, "sha256": "00", "width": 64, "height": 48,
            "duration_seconds": 1.5, "fps": 24, "poster_key": f"{folder}/poster.webp",
            "thumb_key": f"{folder}/thumb_{place}.webp", "thumbhash": "aa", "node_id": "9",
            "comfyui": {"filename": "x.bin", "subfolder": "", "type": "output"},
        }  # fmt: skip

    def columns(self) -> dict[str, Any]:
        return {
            "id": self.id, "job_id": f"prompt-{self.id}", "user_id": self.owner.user_id,
            "workflow_type": self.workflow_type, "workflow_name": "workflow.json", "status": self.status,
            "created_at": self.created_at, "comfy_url": "http://comfy:8188", "visibility": self.visibility,
            "inputs": Jsonb({"prompt": self.prompt_text}), "outputs": self.outputs and Jsonb(self.outputs),
            "title": self.title, "prompt_text": self.prompt_text, "rating": self.rating, "tags": list(self.tags),
            "deleted_at": self.created_at if self.deleted else None, "user_ip": "203.0.113.9",
            "metadata": Jsonb({"secret": True}),
        }  # fmt: skip


def add_people(connection: psycopg.Connection, people: Iterable[Principal]) -> None:
    for person in people:
        connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (person.user_id,))


def add_rows(connection: psycopg.Connection, rows: Iterable[Row], **more: Any) -> None:
    """Write rows as a superuser, past the triggers; `more` are further columns of all of them."""
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        for row in rows:
            columns = row.columns() | more
            connection.execute(
                sql.SQL("INSERT INTO public.workflow_jobs ({}) VALUES ({})").format(
                    sql.SQL(", ").join(map(sql.Identifier, columns)),
                    sql.SQL(", ").join(map(sql.Placeholder, columns)),
                ),
                columns,
            )
