"""Completed jobs whose pictures lack previews, found in the event log."""

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.ports import Json, PictureJob, PicturePage


class PostgresPreviews:
    """The port PreviewStore."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def begin(self, *, every_seconds: float) -> int | None:
        row = await self._database.fetch(query("previews_begin"), {"every": every_seconds})
        return None if row is None else int(row[0])

    async def page(self, after: int, *, late_seconds: float, limit: int) -> PicturePage:
        params = {"after": after, "late": late_seconds, "limit": limit}
        rows = await self._database.fetch_all(query("previews_missing"), params)
        through, more = rows[0][:2]
        jobs = [_job(row[2:]) for row in rows if row[2] is not None]
        return PicturePage(jobs=jobs, through=through, more=more)

    async def passed(self, through: int) -> None:
        await self._database.execute(query("previews_passed"), {"through": through})

    async def job(self, job_id: UUID) -> PictureJob | None:
        row = await self._database.fetch(query("previews_job"), {"id": job_id})
        return None if row is None else _job(row)

    async def add(self, job: PictureJob, outputs: Json) -> None:
        params = {"job_id": job.job_id, "prompt_id": job.prompt_id, "outputs": Jsonb(outputs)}
        await self._database.fetch(query("derived"), params)


def _job(row: Any) -> PictureJob:
    job_id, workflow_type, prompt_id, attempt, outputs = row
    return PictureJob(
        job_id=job_id, workflow_type=workflow_type, prompt_id=prompt_id, attempt=attempt, outputs=outputs
    )
