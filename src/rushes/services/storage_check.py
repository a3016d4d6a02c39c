"""Rows against objects, both ways. What one moment's look suggests is asked again before it is said."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from rushes.domain.errors import RushesError
from rushes.ports import ObjectStat, ObjectStorage, StorageRows, UploadStore
from rushes.services.storage_findings import Finding, Found, Kind
from rushes.services.storage_walk import NOBODY, PAGE, Folder, folder_of, folders, id_in

TOGETHER = 16


@dataclass(frozen=True, slots=True)
class _Suspect:
    key: str
    id: UUID
    size_bytes: int | None = None
    stored: int | None = None


class StorageCheck:
    """`grace` is how old an object must be before it can be an orphan; `tell` hears of each finding.

    `remake` makes those of a job's lost objects again that can be made again, and says which.
    """

    def __init__(
        self,
        *,
        rows: StorageRows,
        storage: ObjectStorage,
        uploads: UploadStore,
        grace: timedelta = timedelta(hours=24),
        tell: Callable[[Finding], None] = lambda _: None,
        remake: Callable[[UUID, set[str]], Awaitable[set[str]]],
    ) -> None:
        self._rows = rows
        self._storage = storage
        self._uploads = uploads
        self._grace = grace
        self._tell = tell
        self._remake = remake
        self._fix = False
        self._sum = Found()
        self._before: datetime

    async def run(self, *, fix: bool = False) -> Found:
        """One pass over all of both. Raises Unavailable."""
        await self._storage.check()
        began = await self._rows.now()
        self._fix, self._sum, self._before = fix, Found(), began - self._grace
        await self._jobs()
        await self._upload_objects()
        await self._upload_rows()
        if fix:
            self._sum.found_again = await self._rows.unmark(began)
        return self._sum

    async def _jobs(self) -> None:
        orphans = _Batch(self._orphans_of_jobs)
        missing = _Batch(self._lost_of_jobs)
        async for folder in folders(self._rows, self._storage):
            for one in folder.objects:
                self._count(one)
            self._sum.jobs += folder.job is not None
            if folder.job_id is None:
                for one in folder.objects:
                    self._report(Finding(Kind.STRAY, one.key, one.size_bytes))
                continue
            await orphans.add(self._unnamed(folder, folder.job_id))
            await missing.add(self._missing(folder, folder.job_id))
        await orphans.flush()
        await missing.flush()

    def _unnamed(self, folder: Folder, job_id: UUID) -> list[_Suspect]:
        if folder.job and not folder.job.ended:
            return []  # its runner may be writing there
        named = folder.job.files if folder.job else {}
        return [
            _Suspect(one.key, job_id, one.size_bytes)
            for one in folder.objects
            if one.key not in named and self._is_settled(one)
        ]

    def _missing(self, folder: Folder, job_id: UUID) -> list[_Suspect]:
        """Not in the list, or of another size than the row says."""
        there = {one.key: one.size_bytes for one in folder.objects}
        named = folder.job.files if folder.job else {}
        return [
            _Suspect(key, job_id, size, there.get(key))
            for key, size in named.items()
            if key not in there or (size is not None and there[key] != size)
        ]

    async def _orphans_of_jobs(self, suspects: list[_Suspect]) -> None:
        now = await self._rows.again([one.id for one in suspects])
        left = [
            one
            for one in suspects
            if one.id not in now or (now[one.id].ended and one.key not in now[one.id].files)
        ]
        await self._orphans(left)

    async def _orphans(self, suspects: list[_Suspect]) -> None:
        booked = await self._rows.booked([one.key for one in suspects])
        left = [one for one in suspects if one.key not in booked]
        if left and self._fix:
            await self._rows.book([one.key for one in left], [one.id for one in left])
        for one in left:
            self._report(Finding(Kind.ORPHAN, one.key, one.size_bytes, fixed=self._fix))

    async def _lost_of_jobs(self, suspects: list[_Suspect]) -> None:
        now = await self._rows.again([one.id for one in suspects])
        still = [one for one in suspects if one.id in now and one.key in now[one.id].files]
        sizes = await self._sizes([one.key for one in still])
        lost = [one for one in still if sizes[one.key] is None]
        known = await self._rows.known_lost([one.key for one in lost])
        made: set[str] = set()
        if lost and self._fix:
            made = await self._made_again(lost)
            left = [one for one in lost if one.key not in made]
            await self._rows.mark([one.key for one in left], [one.id for one in left])
        for one in still:
            stored, told = sizes[one.key], now[one.id].files[one.key]
            if stored is None:
                self._report(
                    Finding(Kind.LOST, one.key, told, one.id, fixed=True)
                    if one.key in made
                    else Finding(Kind.LOST, one.key, told, one.id, known=one.key in known)
                )
            elif told is not None and stored != told:
                self._report(Finding(Kind.SIZE, one.key, stored, one.id))

    async def _made_again(self, lost: list[_Suspect]) -> set[str]:
        of_jobs = defaultdict[UUID, set[str]](set)
        for one in lost:
            of_jobs[one.id].add(one.key)
        made = [await self._remake(job_id, keys) for job_id, keys in of_jobs.items()]
        return set().union(*made)

    async def _upload_objects(self) -> None:
        batch = _Batch(self._orphans_of_uploads)
        async for one in self._storage.list("uploads/"):
            self._count(one)
            upload_id = id_in(folder_of(one.key))
            if upload_id is None:
                self._report(Finding(Kind.STRAY, one.key, one.size_bytes))
            elif self._is_settled(one):
                await batch.add([_Suspect(one.key, upload_id, one.size_bytes)])
        await batch.flush()

    async def _orphans_of_uploads(self, suspects: list[_Suspect]) -> None:
        had = await self._rows.of_uploads([one.key for one in suspects], [one.id for one in suspects])
        await self._orphans([one for one in suspects if one.key not in had])

    async def _upload_rows(self) -> None:
        after, old = NOBODY, 0
        while page := await self._rows.uploads(after, limit=PAGE):
            sizes = await self._sizes([one.key for one in page])
            for one in page:
                if one.old:
                    old += 1
                    self._report(Finding(Kind.OLD_UPLOAD, one.key, one.size_bytes, fixed=self._fix))
                elif sizes[one.key] is None:
                    self._report(Finding(Kind.LOST, one.key, one.size_bytes))
                elif sizes[one.key] != one.size_bytes:
                    self._report(Finding(Kind.SIZE, one.key, sizes[one.key]))
            after = page[-1].upload_id
        while old and self._fix and await self._uploads.prune():
            pass

    async def _sizes(self, keys: list[str]) -> dict[str, int | None]:
        """What the store says of each, None where it has none."""
        few = asyncio.Semaphore(TOGETHER)

        async def size(key: str) -> int | None:
            async with few:
                try:
                    found = await self._storage.stat(key)
                except RushesError as error:
                    if error.status >= 500:
                        raise
                    return None  # no key that any store takes
            return found.size_bytes if found else None

        return dict(zip(keys, await asyncio.gather(*map(size, keys)), strict=True))

    def _is_settled(self, one: ObjectStat) -> bool:
        return one.modified_at is not None and one.modified_at < self._before

    def _count(self, one: ObjectStat) -> None:
        self._sum.objects += 1
        self._sum.size_bytes += one.size_bytes

    def _report(self, finding: Finding) -> None:
        self._sum.found[finding.kind] += 1
        self._sum.fixed[finding.kind] += finding.fixed
        self._sum.known[finding.kind] += finding.known
        self._tell(finding)


class _Batch:
    """Suspects, until there are enough of them to ask about."""

    def __init__(self, work: Callable[[list[_Suspect]], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: list[_Suspect] = []

    async def add(self, suspects: list[_Suspect]) -> None:
        self._waiting += suspects
        while len(self._waiting) >= PAGE:
            batch, self._waiting = self._waiting[:PAGE], self._waiting[PAGE:]
            await self._work(batch)

    async def flush(self) -> None:
        if self._waiting:
            await self._work(self._waiting)
            self._waiting = []
