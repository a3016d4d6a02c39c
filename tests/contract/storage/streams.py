"""Streams to store, and ways to read them back."""

from collections.abc import AsyncIterator

from rushes.ports import ObjectStorage


async def stream(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


async def repeated(block: bytes, times: int) -> AsyncIterator[bytes]:
    for _ in range(times):
        yield block


async def put(store: ObjectStorage, key: str, *blocks: bytes) -> None:
    await store.put(key, stream(*blocks), content_type="application/octet-stream")


async def read(store: ObjectStorage, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([block async for block in store.open(key, start=start, end=end)])


async def keys(store: ObjectStorage, prefix: str = "") -> list[str]:
    return [found.key async for found in store.list(prefix)]
