"""Rows and files as they could have come to be, without waiting for it."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from rushes.domain.keys import job_key
from tests.integration.app.stand import Stand


def person(app: Stand) -> UUID:
    """Somebody with an account."""
    who = uuid4()
    app.sql("insert into auth.users (id, is_anonymous) values (%s, false)", who)
    return who


def job(
    app: Stand, status: str = "completed", *, days: float = 0, workflow_type: str = "sleep", **columns: Any
) -> UUID:
    """A job that came to that status so many days ago, with one file for an output if it completed."""
    job_id = columns.pop("id", None) or new_id(days)
    at = datetime.now(UTC) - timedelta(days=days)
    key = job_key(workflow_type, job_id, "output.png")
    made = {
        "files": [{"name": "output.png", "kind": "image", "key": key, "size_bytes": 4}],
        "texts": [],
        "reused": False,
    }
    row = {
        "id": job_id, "job_id": str(job_id), "workflow_type": workflow_type, "workflow_name": "workflow.json",
        "status": status, "created_at": at, "updated_at": at, "attempt": 1, "comfy_url": "http://gpu:8188",
        "completed_at": at if status in ("completed", "failed", "cancelled") else None,
        "outputs": json.dumps(made) if status == "completed" else None, **columns,
    }  # fmt: skip
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    app.sql("set session_replication_role = replica")
    app.sql(f"insert into public.workflow_jobs ({names}) values ({marks})", *row.values())
    app.sql("set session_replication_role = origin")
    return job_id


def new_id(days: float = 0) -> UUID:
    """An id of that time."""
    milliseconds = int((datetime.now(UTC) - timedelta(days=days)).timestamp() * 1000)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | (uuid4().int & (1 << 60) - 1))


def put(app: Stand, key: str, content: bytes = b"file") -> str:
    """An object."""

    async def stream() -> AsyncIterator[bytes]:
        yield content

    app.do(lambda: app.at.storage.put(key, stream(), content_type="application/octet-stream"))
    return key


def jobs(app: Stand) -> set[UUID]:
    return {job_id for (job_id,) in app.sql("select id from public.workflow_jobs")}


def keys(app: Stand, prefix: str = "") -> list[str]:
    async def listed() -> list[str]:
        return [found.key async for found in app.at.storage.list(prefix)]

    return app.do(listed)
