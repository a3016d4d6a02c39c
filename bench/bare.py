"""The least that a POST can cost with the same libraries: check the body, write one row for good, say what it is.

Run as a process of its own: `python -m bench.bare DATABASE_URL` prints its address.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

from rushes.bootstrap.serving import listening_socket

CREATE = b"CREATE TABLE IF NOT EXISTS bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text, inputs jsonb)"
INSERT = b"INSERT INTO bare AS b (kind, inputs) VALUES (%s, %s) RETURNING to_json(b)::text"


class Asked(BaseModel):
    """As a job is asked for."""

    workflow_type: str
    inputs: dict[str, Any]


def bare(url: str) -> FastAPI:
    """An application with one route."""
    pool = AsyncConnectionPool(url, open=False, min_size=1, max_size=18, kwargs={"autocommit": True})

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with pool:
            async with pool.connection() as connection:
                await connection.execute(CREATE)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/api/jobs", status_code=201)
    async def submit(asked: Asked) -> Response:
        async with pool.connection() as connection:
            cursor = await connection.execute(INSERT, (asked.workflow_type, Jsonb(asked.inputs)))
            row = await cursor.fetchone()
        assert row
        return Response(row[0], status_code=201, media_type="application/json")

    return app


async def main(url: str) -> None:
    """Serve until killed."""
    listener = listening_socket("127.0.0.1", 0)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server = uvicorn.Server(uvicorn.Config(bare(url), log_config=None, access_log=False, ws="none"))
    await server.serve([listener])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
