"""Which server can run which job: learned from the servers, kept in the database, told in words."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from rushes.domain.fleet import (
    Lack,
    Need,
    catalog_digest,
    in_words,
    listed,
    missing_names,
    need_of,
    need_of_graph,
    reduced,
)
from rushes.domain.hiding import public_name
from rushes.domain.workflow import Workflow
from rushes.ports import Ability, FleetStore, Json, Server, ServerRegistry
from rushes.services.briefly import Briefly

log = structlog.get_logger("rushes.fleet")

KNOWN_NEEDS, KNOWN_CATALOGS = 1000, 50
TOLD_SECONDS = 24 * 3600.0  # retention forgets what wasn't asked for in a long while
RECENT_SECONDS = 1.0  # what a submit says of the servers may be that old


class Fleet:
    """Compares needs with servers. Verdicts are rows, so that the claim reads them."""

    def __init__(self, *, store: FleetStore, servers: ServerRegistry) -> None:
        self._store = store
        self._servers = servers
        self._needs: OrderedDict[str, float] = OrderedDict()  # when the database was told
        self._catalogs: OrderedDict[str, Mapping[str, Any]] = OrderedDict()
        self._recent = Briefly(servers.list, seconds=RECENT_SECONDS)
        self._reasons: OrderedDict[str, Briefly[str | None]] = OrderedDict()

    async def learn(self, server: Server, object_info: Json) -> None:
        """Take in what a server says it has."""
        nodes = reduced(object_info)
        digest = catalog_digest(nodes)
        if server.catalog != digest:
            await self._store.store_catalog(server.id, digest, nodes)
            log.info("server's nodes read", server=server.url, classes=len(nodes))
        await self.compare()

    async def need(self, workflow: Workflow, graph_name: str, inputs: Mapping[str, Any]) -> Need:
        """What a job needs, known to the database from now on. Raises InvalidInput."""
        need = need_of(workflow, graph_name, inputs)
        if self._needs.get(need.digest, -TOLD_SECONDS) + TOLD_SECONDS <= time.monotonic():
            await self._store.store_need(need)
            await self.compare()
            _remember(self._needs, need.digest, time.monotonic(), KNOWN_NEEDS)
        return need

    async def compare(self) -> None:
        """Work out every verdict that is missing or of an older catalog."""
        gaps = await self._store.gaps()
        verdicts = []
        for gap in gaps:
            missing = gap.need.requirements.missing_on(await self._catalog(gap.catalog))
            names = missing_names(missing)
            verdicts.append(
                Ability(
                    server_id=gap.server_id,
                    requires=gap.need.digest,
                    able=not names,
                    missing=names,
                    catalog=gap.catalog,
                )
            )
        if verdicts:
            await self._store.store_abilities(verdicts)
            self.forget()

    async def servers(self) -> list[Server]:
        """All servers, as they were a moment ago."""
        return await self._recent.get()

    def forget(self) -> None:
        """The servers have changed."""
        self._recent.forget()
        self._reasons.clear()

    async def outlook(self, digest: str) -> str | None:
        """`why_not`, as it was a moment ago: for a submit, which the dispatcher's own look follows."""
        if digest not in self._reasons:
            _remember(
                self._reasons,
                digest,
                Briefly(partial(self.why_not, digest), seconds=RECENT_SECONDS),
                KNOWN_NEEDS,
            )
        return await self._reasons[digest].get()

    async def why_not(self, digest: str) -> str | None:
        """Why no connected server can run such a job, in words; None when one can."""
        usable = {server.id: server for server in await self._servers.list() if server.enabled}
        lacks = []
        for ability in await self._store.abilities(digest):
            if ability.server_id in usable:
                if ability.able:
                    return None
                lacks.append(Lack(public_name(usable[ability.server_id].name), tuple(ability.missing)))
        if not lacks and usable:
            return None  # nobody has said yet what it has
        return in_words(lacks)

    async def runnable(self, workflow: Workflow, graph_name: str) -> str | None:
        """Why no connected server can run this graph as it stands; None when one can."""
        if graph_name not in workflow.graphs:
            return f"{workflow.type} has no {graph_name}."
        need = need_of_graph(workflow.type, workflow.graph(graph_name))
        lacks = []
        for server in await self._servers.list():
            if not server.enabled or server.catalog is None:
                continue
            names = missing_names(need.requirements.missing_on(await self._catalog(server.catalog)))
            if not names:
                return None
            lacks.append(Lack(public_name(server.name), tuple(names)))
        return in_words(lacks) if lacks else None

    def lacks(self, workflow: Workflow, graph_name: str, object_info: Json) -> str | None:
        """What a server with these nodes lacks for a graph, in words; None when it has all."""
        need = need_of_graph(workflow.type, workflow.graph(graph_name))
        return listed(missing_names(need.requirements.missing_on(reduced(object_info)))) or None

    async def waiting_reasons(self) -> dict[str, str | None]:
        """For each kind of job that waits: why none of it can run, or None."""
        return {digest: await self.why_not(digest) for digest in await self._store.waiting_needs()}

    async def _catalog(self, digest: str) -> Mapping[str, Any]:
        if digest not in self._catalogs:
            _remember(self._catalogs, digest, await self._store.catalog(digest), KNOWN_CATALOGS)
        return self._catalogs[digest]


def _remember(memory: OrderedDict[str, Any], key: str, value: Any, limit: int) -> None:
    memory[key] = value
    if len(memory) > limit:
        memory.popitem(last=False)
