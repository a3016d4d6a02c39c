"""Rates, as leaky buckets in the database: they hold over all processes."""

import hashlib
from collections.abc import Mapping

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query


class PostgresRates:
    """The port Rates."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def take(self, buckets: Mapping[str, tuple[int, float]]) -> float:
        if not buckets:
            return 0.0
        params = {
            "keys": [hashlib.sha256(name.encode()).hexdigest() for name in buckets],
            "bursts": [burst for burst, _ in buckets.values()],
            "spacings": [spacing for _, spacing in buckets.values()],
        }
        row = await self._database.fetch(query("rates_take"), params, durable=False)
        assert row is not None
        return float(row[0])
