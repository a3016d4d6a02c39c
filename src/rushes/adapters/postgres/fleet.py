"""Needs, node catalogs and verdicts."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.types.json import Jsonb

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.fleet import Need, need_from
from rushes.ports import Ability, Gap, Json


class PostgresFleetStore:
    """The port FleetStore."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def store_need(self, need: Need) -> None:
        await self._database.execute(
            query("fleet_store_need"),
            {
                "digest": need.digest,
                "workflow_type": need.workflow_type,
                "node_classes": need.classes(),
                "models": Jsonb(need.models()),
                "model_set": need.model_set,
            },
        )

    async def store_catalog(self, server_id: UUID, digest: str, nodes: Json) -> None:
        await self._database.execute(
            query("fleet_store_catalog"), {"server_id": server_id, "digest": digest, "nodes": Jsonb(nodes)}
        )

    async def catalog(self, digest: str) -> Json:
        row = await self._database.fetch(query("fleet_catalog"), {"digest": digest})
        found: Json = row[0] if row else {}
        return found

    async def gaps(self) -> list[Gap]:
        rows = await self._database.fetch_all(query("fleet_gaps"))
        return [Gap(server_id=row[0], catalog=row[1], need=need_from(*row[2:])) for row in rows]

    async def store_abilities(self, verdicts: Sequence[Ability]) -> None:
        await self._database.execute(
            query("fleet_store_abilities"),
            {
                "servers": [one.server_id for one in verdicts],
                "needs": [one.requires for one in verdicts],
                "able": [one.able for one in verdicts],
                "missing": [Jsonb(one.missing) for one in verdicts],
                "catalogs": [one.catalog for one in verdicts],
            },
        )

    async def abilities(self, digest: str) -> list[Ability]:
        rows = await self._database.fetch_all(query("fleet_abilities"), {"digest": digest})
        return [
            Ability(server_id=row[0], requires=digest, able=row[1], missing=row[2], catalog=row[3])
            for row in rows
        ]

    async def waiting_needs(self) -> list[str]:
        return [row[0] for row in await self._database.fetch_all(query("fleet_waiting_needs"))]
