"""Thumbnails and posters that are missing: their dispatcher was killed after `completed`, or the objects were lost."""

from collections.abc import Sequence, Set
from uuid import UUID

import structlog

from rushes.domain.errors import NotFound, Unavailable
from rushes.domain.keys import attempt_suffix, job_key
from rushes.ports import JobEvents, Json, Media, ObjectStorage, PictureJob, PreviewStore, Probe

log = structlog.get_logger("rushes.previews")

EVERY_SECONDS = 60.0
LATE_SECONDS = 300.0  # since the job's end: until then its own dispatcher is at it
PAGE = 1000  # events
PICTURED = ("image", "video")


class Previews:
    """Any number of processes may run it: one reads the log on from where the last one stopped."""

    def __init__(
        self, *, store: PreviewStore, storage: ObjectStorage, media: Media, events: JobEvents
    ) -> None:
        self._store = store
        self._storage = storage
        self._media = media
        self._events = events

    async def when_due(self) -> int:
        """Look at the jobs that completed since the last look; for how many there are pictures now.

        What can't be pictured is tried once. Raises Unavailable: then the same ones come again.
        """
        through = await self._store.begin(every_seconds=EVERY_SECONDS)
        made, more = 0, through is not None
        while through is not None and more:
            page = await self._store.page(through, late_seconds=LATE_SECONDS, limit=PAGE)
            for job in page.jobs:
                made += await self._tried(job)
            through, more = page.through, page.more
            await self._store.passed(through)
        if made:
            await self._events.notify("jobs")
        return made

    async def remake(self, job_id: UUID, lost: Set[str]) -> set[str]:
        """Make these objects of a job again, where they are previews; which are there now. Raises Unavailable."""
        job = await self._store.job(job_id)
        if job is None:
            return set()
        mine = [
            bool({file.get("thumb_key"), file.get("poster_key")} & lost)
            and file.get("key") not in {None, *lost}
            for file in job.outputs["files"]
        ]
        files = await self._pictured(job, mine)
        if files != job.outputs["files"]:
            await self._store.add(job, {**job.outputs, "files": files})
        made = (file for file, was_lost in zip(files, mine, strict=True) if was_lost)
        return {key for file in made for key in (file["thumb_key"], file["poster_key"]) if key} & lost

    async def _tried(self, job: PictureJob) -> bool:
        try:
            bare = [file["kind"] in PICTURED and not file["thumb_key"] for file in job.outputs["files"]]
            files = await self._pictured(job, bare)
        except Unavailable:
            raise
        except Exception as error:  # one odd row must not be the end of it
            log.warning("no preview", job_id=str(job.job_id), error=str(error))
            return False
        if files == job.outputs["files"]:
            return False
        await self._store.add(job, {**job.outputs, "files": files})
        return True

    async def _pictured(self, job: PictureJob, which: Sequence[bool]) -> list[Json]:
        numbered = enumerate(zip(job.outputs["files"], which, strict=True), 1)
        return [await self._one(job, number, file) if mine else file for number, (file, mine) in numbered]

    async def _one(self, job: PictureJob, number: int, file: Json) -> Json:
        """Where it had previews before, there they are again."""
        if await self._storage.stat(file["key"]) is None:  # unlike a decoder, it knows a store that is away
            return file
        thumb_key, poster_key = preview_keys(job.workflow_type, job.job_id, job.attempt, number)
        try:
            return await pictured(
                self._media,
                file,
                thumb_key=file.get("thumb_key") or thumb_key,
                poster_key=file.get("poster_key") or poster_key,
            )
        except NotFound as error:
            log.warning("no preview", job_id=str(job.job_id), error=error.message)
            return file


async def pictured(media: Media, file: Json, *, thumb_key: str, poster_key: str) -> Json:
    """An output with its previews, which are stored. Raises NotFound, Unavailable."""
    if file["kind"] not in PICTURED:
        return file
    preview = await media.preview(
        file["key"],
        Probe(
            content_type=file["content_type"],
            kind=file["kind"],
            width=file.get("width"),
            height=file.get("height"),
            duration_seconds=file.get("duration_seconds"),
            fps=file.get("fps"),
        ),
        thumb_key=thumb_key,
        poster_key=poster_key,
    )
    return {
        **file,
        "thumb_key": preview.thumb_key,
        "poster_key": preview.poster_key,
        "thumbhash": preview.thumbhash,
    }


def preview_keys(workflow_type: str, job_id: UUID, attempt: int, number: int) -> tuple[str, str]:
    """Where thumbnail and poster of a job's n-th output are stored."""
    suffix = attempt_suffix(attempt)
    poster = f"poster{suffix}.webp" if number == 1 else f"poster_{number}{suffix}.webp"
    return (
        job_key(workflow_type, job_id, f"thumb_{number}{suffix}.webp"),
        job_key(workflow_type, job_id, poster),
    )
