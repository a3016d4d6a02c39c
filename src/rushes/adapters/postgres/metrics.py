"""What the installation looks like now, in figures."""

import json

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.ports import Figures, LineFigures, ServerFigures


class PostgresFigures:
    """The port FigureStore, as the service role."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def figures(self) -> Figures:
        row = await self._database.fetch(query("metrics_figures"))
        assert row is not None
        told = json.loads(row[0])
        return Figures(
            lines=tuple(LineFigures(**line) for line in told.pop("lines")),
            servers=tuple(ServerFigures(**server) for server in told.pop("servers")),
            paused=tuple(told.pop("paused")),
            **told,
        )
