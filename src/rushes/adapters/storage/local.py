"""Objects as files below one folder."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from rushes.adapters.storage.faults import disk_full, storage_faults
from rushes.adapters.storage.incoming import IncomingFile, link_or_copy, sweep
from rushes.adapters.storage.listing import Listing
from rushes.adapters.storage.offloop import off_loop
from rushes.adapters.storage.paths import guarded_path, plain_key
from rushes.adapters.storage.reading import OutgoingFile, missing, stat_object
from rushes.domain.errors import NotFound, TooLarge, Unavailable
from rushes.ports import ObjectStat, SignedPut, Stored

_BATCH_BYTES = 1024 * 1024  # what one hop to a thread writes
T = TypeVar("T")


class LocalStorage:
    """Meets ObjectStorage on a file system; any number of processes may share a root.

    The content type of an object isn't kept: the database knows it.
    """

    def __init__(self, root: Path, *, min_free_bytes: int = 64 * 1024 * 1024) -> None:
        self._root = root.absolute()
        self._min_free_bytes = min_free_bytes

    signed_origin = None  # nothing leads here but through the application

    async def start(self) -> None:
        """Make the folder, and sweep out what killed processes left. Raises Unavailable."""
        await self._run(self._prepare)

    async def aclose(self) -> None:
        """Nothing is open between calls."""

    async def put(
        self,
        key: str,
        stream: AsyncIterator[bytes],
        *,
        content_type: str,  # noqa: ARG002 - other stores keep it
        limit: int | None = None,
    ) -> Stored:
        """Store a stream whole or not at all.

        Raises TooLarge past `limit` bytes, StorageFull, Unavailable.
        """
        plain_key(key)
        incoming = IncomingFile(self._root)
        last: list[bytes] = []
        try:
            async for blocks in _batches(stream, limit):
                if last:
                    await self._run(partial(incoming.write, last))
                last = blocks
            sha256 = await self._run(lambda: incoming.place(guarded_path(self._root, key), last))
        except BaseException:
            await self._run(incoming.abandon)
            raise
        return Stored(incoming.size, sha256)

    async def stat(self, key: str) -> ObjectStat | None:
        """What is there, or None."""
        return await self._run(lambda: self._found(key))

    async def open(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from start to end (exclusive), in blocks of 1 MiB. Raises NotFound at the first, Unavailable."""
        outgoing = OutgoingFile(self.local_path, key, start=start, end=end)
        try:
            while not outgoing.finished and (block := await self._run(outgoing.read)):
                yield block
        except NotFound:
            await self._run(self._be_there)
            raise
        finally:
            outgoing.close()

    async def copy(self, source: str, target: str) -> None:
        """Give an object's bytes a second key. Raises NotFound."""
        await self._run(partial(self._copy, source, target))

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Delete objects, and folders that become empty; what is not there is no error."""
        await self._run(partial(self._delete_many, keys))

    async def list(self, prefix: str) -> AsyncIterator[ObjectStat]:
        """Every object whose key begins with `prefix`, in the order of keys."""
        await self._run(self._be_there)
        listing = Listing(self._root, prefix)
        while page := await self._run(listing.page):
            for found in page:
                yield found

    async def signed_get(
        self,
        key: str,  # noqa: ARG002 - nothing is signed here
        *,
        seconds: int,  # noqa: ARG002
        content_type: str | None = None,  # noqa: ARG002
        download_name: str | None = None,  # noqa: ARG002
    ) -> str | None:
        """None: the application serves these files itself."""
        return None

    async def signed_put(
        self,
        key: str,  # noqa: ARG002
        *,
        seconds: int,  # noqa: ARG002
        size_bytes: int,  # noqa: ARG002
        content_type: str,  # noqa: ARG002
    ) -> SignedPut | None:
        """None: the application takes these files in itself."""
        return None

    async def check(self) -> None:
        """Raise Unavailable or StorageFull when nothing can be stored."""
        await self._run(self._check)

    def local_path(self, key: str) -> Path:
        """Where the object is, or would be. Raises InvalidRequest."""
        return guarded_path(self._root, key)

    def _prepare(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        sweep(self._root)

    def _be_there(self) -> None:
        """A folder that is gone holds no files, and yet none of them was deleted. Raises Unavailable."""
        if not self._root.is_dir():
            raise Unavailable(
                "The storage folder is not there: is its disk mounted? Put it back, or set RUSHES_STORAGE_URL."
            )

    def _found(self, key: str) -> ObjectStat | None:
        found = stat_object(self.local_path(key), key)
        if found is None:
            self._be_there()
        return found

    def _copy(self, source: str, target: str) -> None:
        source_path, target_path = self.local_path(source), self.local_path(target)
        if self._found(source) is None:
            raise missing(source)
        link_or_copy(self._root, source_path, target_path)

    def _delete_many(self, keys: Sequence[str]) -> None:
        self._be_there()
        for path in [self.local_path(key) for key in keys]:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                path.unlink()
            self._remove_empty(path.parent)

    def _remove_empty(self, folder: Path) -> None:
        with contextlib.suppress(OSError):  # not empty, or somebody was faster
            while folder != self._root:
                folder.rmdir()
                folder = folder.parent

    def _check(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        state = os.statvfs(self._root)
        if state.f_bavail * state.f_frsize < self._min_free_bytes:
            raise disk_full()
        trial = IncomingFile(self._root)
        try:
            trial.write([b"trial"])
        finally:
            trial.abandon()

    async def _run(self, work: Callable[[], T]) -> T:
        with storage_faults(self._root):
            return await off_loop(work)


async def _batches(stream: AsyncIterator[bytes], limit: int | None) -> AsyncIterator[list[bytes]]:
    """Blocks of the stream by the mebibyte, so that hops to a thread are few. Raises TooLarge."""
    blocks: list[bytes] = []
    waiting = total = 0
    async for block in stream:
        total += len(block)
        waiting += len(block)
        if limit is not None and total > limit:
            raise TooLarge(f"The file is larger than the limit of {limit:,} bytes.", details={"limit": limit})
        blocks.append(block)
        if waiting >= _BATCH_BYTES:
            yield blocks
            blocks, waiting = [], 0
    if blocks:
        yield blocks
