"""Ranges of a stored file a second: /storage of Rushes, which asks the database who may see it, against a bare file server."""

import argparse
import asyncio
import os
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from statistics import median
from urllib.parse import urlsplit

import httpx2

from bench import figures, places

MIB = 1024 * 1024
NOBODY = "http://127.0.0.1:9"  # no ComfyUI is needed
# Starlette's own file answer in the server that Rushes runs in, one process.
BARE = """
import asyncio, socket, sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse
from starlette.routing import Route

async def file(request):
    return FileResponse(sys.argv[1], media_type="video/mp4")

listener = socket.create_server(("127.0.0.1", int(sys.argv[2])))
app = Starlette(routes=[Route("/file", file)])
asyncio.run(uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).serve([listener]))
"""


def upload(url: str, content: bytes) -> tuple[str, str]:
    """A file of somebody's: its path, and the token that may see it."""
    with httpx2.Client(base_url=url, timeout=60, trust_env=False) as client:
        token = client.post("/api/auth/anonymous").json()["token"]
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {token}"
        asked = {"filename": "bytes.bin", "size_bytes": len(content)}
        made = client.post("/api/uploads", json=asked).json()
        stored = client.put(made["put_url"], content=content)
        assert stored.status_code == 200, stored.text
        return stored.json()["url"], token


async def reads(url: str, headers: str, *, size: int, whole: int, connections: int, seconds: float) -> float:
    """Ranges a second at places that jump about; each answer is checked by its length."""
    parts = urlsplit(url)
    done = 0
    end = time.perf_counter() + seconds

    async def one(seed: int) -> None:
        nonlocal done
        dice = Random(seed)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        while time.perf_counter() < end:
            start = dice.randrange(whole - size)
            writer.write(
                f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{headers}"
                f"Range: bytes={start}-{start + size - 1}\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 206 " in head[:20], head
            await reader.readexactly(size)
            done += 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(seed) for seed in range(connections)))
    return done / (time.perf_counter() - began)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def compare(
    ours: tuple[str, str, int], bare: tuple[str, str, int], size: int, options: argparse.Namespace
) -> figures.Row:
    """Turn by turn; the CPU time of the serving process beside it, which the machine's load hardly moves."""
    found: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
    for _ in range(options.rounds):
        for name, (url, headers, pid) in (("ours", ours), ("bare", bare)):
            before = places.own_cpu_seconds(pid)
            rate = asyncio.run(
                reads(
                    url, headers, size=size, whole=options.megabytes * MIB, connections=options.connections,
                    seconds=options.seconds,
                )
            )  # fmt: skip
            cpu = (places.own_cpu_seconds(pid) - before) / (rate * options.seconds) * 1000
            found[name].append((rate, cpu))
    middle = {
        name: [median(column) for column in zip(*values, strict=True)] for name, values in found.items()
    }
    return {
        "KiB": size // 1024,
        "Rushes /s": middle["ours"][0],
        "bare /s": middle["bare"][0],
        "ratio": median(a / b for (a, _), (b, _) in zip(found["ours"], found["bare"], strict=True)),
        "Rushes CPU ms": middle["ours"][1],
        "bare CPU ms": middle["bare"][1],
    }


def main(arguments: Sequence[str]) -> None:
    parser = figures.options(__doc__)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=32, help="size of the file")
    options = parser.parse_args(arguments)
    print(figures.machine())
    content = os.urandom(options.megabytes * MIB)
    with ExitStack() as stack:
        at = stack.enter_context(places.folder())
        database = stack.enter_context(places.postgres(at))
        (at / "types").mkdir()
        url, _, (pid,) = stack.enter_context(places.rushes(at, database, NOBODY, at / "types"))
        path, token = upload(url, content)
        (at / "file").write_bytes(content)
        port = free_port()
        child = stack.enter_context(
            places.process(["-c", BARE, str(at / "file"), str(port)], {}, Path(at / "bare.log"))
        )
        _until_it_listens(port)
        ours = (url + path, f"Authorization: Bearer {token}\r\n", pid)
        bare = (f"http://127.0.0.1:{port}/file", "", child.pid)
        rows = [compare(ours, bare, size, options) for size in (16 * 1024, 256 * 1024, MIB)]
    figures.show(f"ranges of a {options.megabytes} MB file over {options.connections} connections", rows)
    figures.keep(options.out, "ranges", rows)


def _until_it_listens(port: int) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise SystemExit("the bare file server didn't start") from None
            time.sleep(0.05)
