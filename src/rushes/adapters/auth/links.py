"""The sign-in link that a starting process prints: good for one use, while that process runs."""

import secrets
import time

SECONDS = 24 * 3600.0


class PrintedLinks:
    """Kept in memory: a link that was never used is worth nothing after the process."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def make(self, *, seconds: float = SECONDS) -> str:
        """The secret of a link that signs the administrator in, once."""
        secret = secrets.token_urlsafe(24)
        self._until[secret] = time.monotonic() + seconds
        return secret

    def take(self, secret: str) -> bool:
        """Use a link up; whether it was one."""
        return self._until.pop(secret, 0.0) > time.monotonic()
