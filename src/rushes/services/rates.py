"""How often things may be done: sign-ins and submits, for each account and each address."""

import ipaddress
import math
from dataclasses import dataclass

from rushes.domain.errors import TooManyRequests
from rushes.domain.principal import Principal
from rushes.ports import Rates

ADDRESS_FACTOR = 5  # several people share an address
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class RateLimits:
    """A minute, for one account; five times as many for an address. None is no limit."""

    submits: int | None = 600
    sign_ins: int | None = 10


class RateGate:
    """Lets pass what comes slowly enough; the same for all processes."""

    def __init__(self, *, rates: Rates, limits: RateLimits) -> None:
        self._rates = rates
        self._limits = limits

    async def submit(self, principal: Principal, address: str | None) -> None:
        """Raises TooManyRequests; administrators pass."""
        if not principal.is_admin:
            await self._pass("submit", self._limits.submits, str(principal.user_id), address)

    async def sign_in(self, email: str | None, address: str | None) -> None:
        """Counts whether or not it succeeds. Raises TooManyRequests."""
        await self._pass("sign-in", self._limits.sign_ins, email, address)

    async def new_account(self, address: str | None) -> None:
        """An anonymous account. Raises TooManyRequests."""
        await self._pass("account", self._limits.submits, None, address)

    async def _pass(self, what: str, a_minute: int | None, who: str | None, address: str | None) -> None:
        if a_minute is None:
            return
        buckets: dict[str, tuple[int, float]] = {}
        if who is not None:
            buckets[f"{what} account {who}"] = (a_minute, MINUTE / a_minute)
        if address is not None:
            many = a_minute * ADDRESS_FACTOR
            buckets[f"{what} address {network(address)}"] = (many, MINUTE / many)
        wait = await self._rates.take(buckets)
        if wait > 0:
            seconds = math.ceil(wait)
            raise TooManyRequests(
                f"That was too often. Try again in {seconds} s.", details={"retry_after": seconds}
            )


def network(address: str) -> str:
    """The address, or the network that one household has in IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
