"""Passwords' hashes: argon2id, never on the event loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

T = TypeVar("T")

TOGETHER = 2  # each takes 64 MiB and a core for a moment


class Argon2:
    """The port PasswordHashes, with the parameters that RFC 9106 recommends where memory is scarce."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._room = asyncio.Semaphore(TOGETHER)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        return await self._apart(self._hasher.hash, password)

    async def verify(self, known: str | None, password: str) -> bool:
        """Takes as long where there is no such account as where there is one."""
        if self._nobodys is None:
            self._nobodys = await self.hash("nobody's password")
        try:
            await self._apart(self._hasher.verify, known or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False
        return known is not None

    def is_weak(self, known: str) -> bool:
        """Whether it was made with parameters of the past."""
        return self._hasher.check_needs_rehash(known)

    async def _apart(self, work: Callable[..., T], *args: str) -> T:
        async with self._room:
            return await asyncio.to_thread(work, *args)
