"""The way of a stream through the stripper."""

import io
import logging
import tempfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import IO

from rushes.adapters.media.sniff import HEAD_BYTES, sniff
from rushes.adapters.media.strip import PLANS
from rushes.adapters.media.strip.pieces import BLOCK, Malformed, Piece, Source, Span
from rushes.adapters.storage.faults import storage_faults
from rushes.adapters.storage.offloop import off_loop

_log = logging.getLogger(__name__)
_AT_ONCE = 1024 * 1024  # smaller ones take one hop to a thread
_IN_MEMORY = 8 * 1024 * 1024  # larger files go by way of the disk


async def stripped(
    stream: AsyncIterator[bytes], *, filename: str, temp_dir: Path | None = None
) -> AsyncIterator[bytes]:
    """The same media without embedded prompts. Unknown and malformed files pass unchanged.

    Formats that are handled are first read whole, so that nothing goes out before it is sure how. Raises
    StorageFull and Unavailable of `temp_dir`, and whatever the stream raises.
    """
    head, _ = await _first(stream, HEAD_BYTES)
    content_type = sniff(head, filename=filename)
    if content_type not in PLANS:
        yield head
        async for block in stream:
            yield block
        return
    head, is_whole = await _first(stream, _AT_ONCE, head)
    if is_whole:
        yield await off_loop(partial(_stripped_at_once, head, content_type, filename))
        return
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=str(temp_dir) if temp_dir else None) as file:
        size = await _spool(file, head, stream, temp_dir)
        source = Source(file, size)
        pieces = await off_loop(partial(_planned, source, content_type, filename))
        contents = source.contents(pieces)
        while block := await off_loop(partial(next, contents, b"")):
            yield block


async def _first(stream: AsyncIterator[bytes], most: int, before: bytes = b"") -> tuple[bytes, bool]:
    """What came before and the blocks up to `most` bytes together, and whether that is all."""
    blocks, size = [before], len(before)
    if size < most:
        async for block in stream:
            blocks.append(block)
            size += len(block)
            if size >= most:
                break
        else:
            return b"".join(blocks), True
    return b"".join(blocks), False


def _stripped_at_once(whole: bytes, content_type: str, filename: str) -> bytes:
    source = Source(io.BytesIO(whole), len(whole))
    return b"".join(source.contents(_planned(source, content_type, filename)))


async def _spool(file: IO[bytes], head: bytes, stream: AsyncIterator[bytes], temp_dir: Path | None) -> int:
    blocks, waiting, size = [head], len(head), 0
    with storage_faults(temp_dir or Path(tempfile.gettempdir())):
        async for block in stream:
            blocks.append(block)
            waiting += len(block)
            if waiting >= BLOCK:
                size += await off_loop(partial(file.write, b"".join(blocks)))
                blocks, waiting = [], 0
        return size + await off_loop(partial(file.write, b"".join(blocks)))


def _planned(source: Source, content_type: str, filename: str) -> list[Piece]:
    try:
        return PLANS[content_type](source)
    except Exception as error:  # whatever a broken file provokes, the file itself must not be lost
        why = str(error) if isinstance(error, Malformed) else type(error).__name__
        _log.warning("%s keeps its metadata: it is malformed as %s (%s)", filename, content_type, why)
        return [Span(0, source.size)]
