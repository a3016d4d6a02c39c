"""Rows and objects side by side: both come in the order of folders, so that one pass and little memory do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from rushes.domain.errors import Unavailable
from rushes.domain.keys import job_prefix
from rushes.ports import JobFiles, ObjectStat, ObjectStorage, StorageRows

PAGE = 500
NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Folder:
    """A job's folder: what the store has there, and the row, where there is one."""

    prefix: str
    job_id: UUID | None  # None: no job can have such a folder
    objects: list[ObjectStat] = field(default_factory=list)
    job: JobFiles | None = None


async def folders(rows: StorageRows, storage: ObjectStorage) -> AsyncIterator[Folder]:
    """Every folder of a job that rows or objects have, each once."""
    jobs, stored = _of_rows(rows), _of_objects(storage)
    job, objects = await anext(jobs, None), await anext(stored, None)
    while job or objects:
        if objects is None or (job and job.prefix < objects.prefix):
            assert job
            yield job
            job = await anext(jobs, None)
        elif job is None or objects.prefix < job.prefix:
            yield objects
            objects = await anext(stored, None)
        else:
            yield Folder(job.prefix, job.job_id, objects.objects, job.job)
            job, objects = await anext(jobs, None), await anext(stored, None)


async def _of_rows(rows: StorageRows) -> AsyncIterator[Folder]:
    # in the order of keys, in which img2img-x/ is before img2img/
    for workflow_type in sorted(await rows.types(), key=lambda name: f"{name}/"):
        after = NOBODY
        while page := await rows.jobs(workflow_type, after, limit=PAGE):
            for job in page:
                yield Folder(job_prefix(workflow_type, job.job_id), job.job_id, job=job)
            after = page[-1].job_id


async def _of_objects(storage: ObjectStorage) -> AsyncIterator[Folder]:
    """What is in no job's folder comes as a folder of its own, by its key."""
    folder: Folder | None = None
    last = ""
    async for one in storage.list("workflows/"):
        if one.key < last:
            raise Unavailable("The store doesn't list its objects in order, so they can't be compared.")
        last, prefix = one.key, folder_of(one.key)
        job_id = id_in(prefix)
        if folder is None or job_id is None or prefix != folder.prefix:
            if folder:
                yield folder
            folder = Folder(prefix if job_id else one.key, job_id)
        folder.objects.append(one)
    if folder:
        yield folder


def folder_of(key: str) -> str:
    """The first three parts of a key, or fewer where it has fewer."""
    parts = key.split("/")
    return "/".join(parts[: min(3, len(parts) - 1)]) + "/"


def id_in(prefix: str) -> UUID | None:
    """The job of a folder, or the upload of one (also of its parts)."""
    parts = prefix.split("/")
    text = parts[2].removesuffix("-parts") if len(parts) == 4 else ""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None
