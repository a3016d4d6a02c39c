"""What each person may use: the installation's limits, and a person's own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from uuid import UUID

import structlog

from rushes.domain.errors import Forbidden, InvalidInput
from rushes.domain.principal import Principal
from rushes.ports import Json, Limits, UseBook

log = structlog.get_logger("rushes.account")

NAMES = ("bytes_stored", "jobs_per_day", "jobs_waiting", "jobs_running", "upload_bytes")
NO_LIMIT = 2**31 - 1  # jobs
NO_BYTES_LIMIT = 2**53 - 1  # a browser's numbers hold no more
_UNLIMITED = 1_000_000  # what the local administrator has, and anything above


@dataclass(frozen=True, slots=True)
class Allowance:
    """A person's limits (null: none) and what of them is used."""

    limits: Json
    use: Json


class UsageLimits:
    """The installation's defaults, overridden person by person."""

    def __init__(self, *, book: UseBook, defaults: Limits) -> None:
        self._book = book
        self.defaults = defaults

    async def of(self, user_id: UUID) -> Limits:
        """What counts for that person; None is no limit."""
        own = await self._book.own_limits(user_id)
        named = {name: _unlimited(name, own[name]) for name in NAMES if own.get(name) is not None}
        return replace(self.defaults, **named)

    async def allowance(self, user_id: UUID) -> Allowance:
        """Limits and use."""
        return Allowance(asdict(await self.of(user_id)), await self._book.use(user_id))

    async def change(self, admin: Principal, user_id: UUID, changes: Mapping[str, int | str | None]) -> None:
        """A number, "off" for no limit, None for the installation's. Raises Forbidden, NotFound, InvalidInput."""
        if not admin.is_admin:
            raise Forbidden("Only administrators set limits.")
        await self._book.set_limits(user_id, {name: _stored(name, value) for name, value in changes.items()})
        log.info("limits changed", user_id=str(user_id), by=str(admin.user_id), **dict(changes))


def _stored(name: str, value: int | str | None) -> int | None:
    most = NO_BYTES_LIMIT if "bytes" in name else NO_LIMIT
    if value is None:
        return None
    if value == "off":
        return most
    if isinstance(value, str) or not 0 <= value <= most:
        raise InvalidInput({name: f"should be a number from 0 to {most}, off, or null for the usual limit"})
    return value


def _unlimited(name: str, value: int) -> int | None:
    if name == "upload_bytes":
        return value  # None would be the installation's
    most = NO_BYTES_LIMIT if name == "bytes_stored" else _UNLIMITED
    return None if value >= most else value
