"""Jobs through Rushes, from submit to stored and completed, against the same graphs posted straight to the server.

Rushes runs as `rushes up`, with a PostgreSQL that writes safely, beside the server and this client on one machine.
"""

import argparse
import io
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from PIL import Image

from bench import direct, figures, graphs, places
from bench.graphs import Graph

HALF, TRIVIAL, PICTURE = "half a second", "trivial", "1 MB image"
WAIT_SECONDS = 600
MANY = 8  # connections


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What runs, and a client's session with it."""

    folder: Path
    comfy: str
    database: str
    url: str
    pids: list[int]
    headers: dict[str, str]
    half: tuple[str, Graph]

    def cpu_seconds(self) -> float:
        """What Rushes' processes have used."""
        return sum(map(places.own_cpu_seconds, self.pids))


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    chosen = _options().parse_args(arguments)
    with places.folder() as folder:
        if chosen.comfy_url:
            _measure(chosen, folder, chosen.comfy_url, real=True)
        else:
            with places.demo(folder) as url:
                _measure(chosen, folder, url, real=False)


def _options() -> argparse.ArgumentParser:
    parser = figures.options(__doc__)
    parser.add_argument(
        "--comfy-url", help="a real ComfyUI that has nothing else to do; default: the demo server"
    )
    parser.add_argument("--jobs", type=int, default=100, help="of half a second each; 0 leaves them out")
    parser.add_argument("--trivial", type=int, default=500, help="trivial jobs; 0 leaves them out")
    parser.add_argument(
        "--pictures", type=int, default=30, help="jobs that make an image of 1 MB; 0 leaves them out"
    )
    parser.add_argument(
        "--posts", type=int, default=300, help="jobs accepted one after the other; 0 leaves them out"
    )
    parser.add_argument("--apart", action="store_true", help="API and dispatcher as processes of their own")
    parser.add_argument("--rounds", type=int, default=1, help="of each, medians are shown")
    parser.add_argument(
        "--blurs", type=int, help="how many make half a second on that ComfyUI; default: tried out"
    )
    return parser


def _measure(chosen: argparse.Namespace, folder: Path, comfy: str, *, real: bool) -> None:
    types = folder / "types"
    name = "blurring" if real else "sleeping"
    half = graphs.blurring(chosen.blurs or _calibrated(comfy, folder)) if real else graphs.sleeping(0.5)
    graphs.install(types, name, half)
    graphs.install(types, "trivial", graphs.trivial())
    _install_picture(types)
    with (
        places.postgres(folder) as database,
        places.rushes(folder, database, comfy, types, apart=chosen.apart) as (url, link, pids),
    ):
        stage = Stage(
            folder=folder,
            comfy=comfy,
            database=database,
            url=url,
            pids=pids,
            headers=_signed_in(link),
            half=(name, half),
        )
        _until_up(stage)
        rows = [row for _ in range(chosen.rounds) for row in _round(stage, chosen)]
    for what in dict.fromkeys(row["what"] for row in rows):
        figures.show(
            f"Through Rushes / straight ({figures.machine()})", [r for r in rows if r["what"] == what]
        )
    figures.keep(chosen.out, "makespan", rows)


def _round(stage: Stage, chosen: argparse.Namespace) -> list[figures.Row]:
    name, graph = stage.half
    _through(stage, "trivial", 5)  # what is started at the first job is started now
    rows = []
    if chosen.jobs:
        rows.append(_compare(stage, HALF, name, graph, chosen.jobs))
    if chosen.trivial:
        rows.append(_compare(stage, TRIVIAL, "trivial", graphs.trivial(), chosen.trivial))
    if chosen.pictures:
        rows.append(_pictures(stage, chosen.pictures))
    if chosen.posts:
        rows += [_posts(stage, name, graph, chosen.posts, connections) for connections in (1, MANY)]
    return rows


def _compare(stage: Stage, title: str, name: str, graph: Graph, count: int) -> figures.Row:
    first = random.randrange(1 << 23)
    made = [graphs.numbered(name, graph, first + n) for n in range(count)]
    straight = direct.run(stage.comfy, made, stage.folder)
    through = _through(stage, name, count)
    ran, own = direct.moments(stage.comfy, through["prompts"]), direct.moments(stage.comfy, straight.prompts)
    return {
        "what": f"{count} x {title}",
        "straight s": straight.makespan,
        "rushes s": through["makespan"],
        "ratio": through["makespan"] / straight.makespan,
        "gap p50 ms": figures.p50(direct.gaps(ran)) * 1000,
        "gap p95 ms": figures.p95(direct.gaps(ran)) * 1000,
        "own gap p50 ms": figures.p50(direct.gaps(own)) * 1000,
        "stored p50 ms": figures.p50(through["stored"]) * 1000,
        "stored p95 ms": figures.p95(through["stored"]) * 1000,
        "rushes cpu ms/job": through["cpu"] * 1000 / count,
        "postgres cpu ms/job": through["postgres cpu"] * 1000 / count,
    }


def _pictures(stage: Stage, count: int) -> figures.Row:
    """One after the other, so that only its own work holds a job up."""
    key = _upload_noise(stage)
    stored = [
        moment
        for _ in range(count)
        for moment in _through(stage, "megabyte", 1, inputs={"image": key})["stored"]
    ]
    return {
        "what": f"{count} x {PICTURE}",
        "stored p50 ms": figures.p50(stored) * 1000,
        "stored p95 ms": figures.p95(stored) * 1000,
    }


def _posts(stage: Stage, name: str, graph: Graph, count: int, connections: int) -> figures.Row:
    """Accepted a second, while the server works; what was accepted is taken back."""
    made = [graphs.numbered(name, graph, random.randrange(1 << 24)) for _ in range(count)]
    shares = [made[n::connections] for n in range(connections)]
    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as clients:
        posted = clients.map(lambda share: direct.post(stage.comfy, share, "bench"), shares)
        prompts = [prompt for share in posted for prompt in share]
    straight = time.perf_counter() - began
    _take_back(stage)
    direct.post(stage.comfy, made, "bench")  # so that it works now, too
    with places.bare(stage.folder, stage.database) as url:
        began = time.perf_counter()
        with ThreadPoolExecutor(connections) as clients:
            list(clients.map(lambda share: _posted(url, name, len(share), {}, {}), shares))
        bare = time.perf_counter() - began
    _take_back(stage)
    began, cpu = time.perf_counter(), stage.cpu_seconds()
    with ThreadPoolExecutor(connections) as clients:
        list(clients.map(lambda share: _submit(stage, name, len(share), {}), shares))
    through = time.perf_counter() - began
    cpu = stage.cpu_seconds() - cpu
    _cancel_all(stage)
    return {
        "what": f"{len(prompts)} posts over {connections}",
        "straight s": straight,
        "rushes s": through,
        "ratio": straight / through,
        "accepted/s": count / through,
        "straight/s": count / straight,
        "bare/s": count / bare,
        "rushes cpu ms/post": cpu * 1000 / count,
    }


def _through(stage: Stage, name: str, count: int, inputs: dict[str, Any] | None = None) -> dict[str, Any]:
    """Submit over HTTP, and wait until all are completed; times by the database's clock."""
    with psycopg.connect(stage.database, autocommit=True) as connection:
        cpu, postgres_cpu = stage.cpu_seconds(), places.cpu_seconds(stage.database)
        began = _one(connection, "SELECT clock_timestamp()")
        ids = _submit(stage, name, count, inputs)
        until = time.monotonic() + WAIT_SECONDS
        while _one(
            connection, "SELECT count(*) FROM workflow_jobs WHERE status IN ('pending', 'processing')"
        ):
            if time.monotonic() > until:
                raise SystemExit("jobs are stuck")
            time.sleep(0.02)
        cpu = stage.cpu_seconds() - cpu
        postgres_cpu = places.cpu_seconds(stage.database) - postgres_cpu
        rows = connection.execute(
            "SELECT j.job_id, j.status, j.error_message, e.at FROM workflow_jobs AS j"
            " JOIN workflow_job_events AS e ON e.job_id = j.id AND e.data ->> 'to' = j.status"
            " WHERE j.id = ANY (%s::uuid[])",
            (ids,),
        ).fetchall()
    if bad := [row for row in rows if row[1] != "completed"]:
        raise SystemExit(f"{len(bad)} of {count} jobs did not complete: {bad[0]}")
    moments = {prompt: at for prompt, _, _, at in rows}
    succeeded = {prompt: direct.moments(stage.comfy, [prompt])[0][1] for prompt in moments}
    return {
        "makespan": (max(moments.values()) - began).total_seconds(),
        "cpu": cpu,
        "postgres cpu": postgres_cpu,
        "prompts": list(moments),
        "stored": [at.timestamp() - succeeded[prompt] for prompt, at in moments.items()],
    }


def _submit(stage: Stage, name: str, count: int, inputs: dict[str, Any] | None) -> list[str]:
    return _posted(stage.url, name, count, inputs, stage.headers)


def _posted(
    url: str, name: str, count: int, inputs: dict[str, Any] | None, headers: dict[str, str]
) -> list[str]:
    first = random.randrange(1 << 23)
    connection = places.connect(url)
    ids = []
    for n in range(count):
        body = {"workflow_type": name, "inputs": inputs or {"number": first + n}}
        ids.append(direct.ask(connection, "POST", "/api/jobs", body, headers)["id"])
    connection.close()
    return ids


def _take_back(stage: Stage) -> None:
    """Nothing is left of what was posted straight."""
    connection = places.connect(stage.comfy)
    connection.request("POST", "/queue", '{"clear": true}')
    connection.getresponse().read()
    connection.request("POST", "/interrupt", "{}")
    connection.getresponse().read()
    while _queued(stage.comfy):
        time.sleep(0.1)


def _cancel_all(stage: Stage) -> None:
    with psycopg.connect(stage.database, autocommit=True) as connection:
        connection.execute("UPDATE workflow_jobs SET cancel_requested_at = now() WHERE status = 'pending'")
        while _one(
            connection, "SELECT count(*) FROM workflow_jobs WHERE status IN ('pending', 'processing')"
        ):
            time.sleep(0.1)


def _until_up(stage: Stage) -> None:
    with psycopg.connect(stage.database, autocommit=True) as connection:
        for _ in range(300):
            if _one(connection, "SELECT count(*) FROM comfy_servers WHERE state = 'up'"):
                return
            time.sleep(0.1)
    raise SystemExit("the server doesn't answer")


def _signed_in(link: str) -> dict[str, str]:
    base, path = link.split("/auth/")
    connection = places.connect(base)
    connection.request("GET", f"/auth/{path}")
    answer = connection.getresponse()
    cookie = answer.headers.get_all("Set-Cookie")
    assert cookie, answer.status
    return {"Cookie": "; ".join(one.split(";")[0] for one in cookie)}


def _upload_noise(stage: Stage) -> dict[str, Any]:
    connection = places.connect(stage.url)
    data = _noise()
    asked = {"filename": "noise.png", "size_bytes": len(data), "content_type": "image/png"}
    made = direct.ask(connection, "POST", "/api/uploads", asked, stage.headers)
    connection.request("PUT", made["put_url"], data, stage.headers | {"Content-Type": "image/png"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status < 300, text
    return {"upload_id": made["id"]}


def _noise() -> bytes:
    size = 600
    made = io.BytesIO()
    Image.frombytes("RGB", (size, size), random.randbytes(size * size * 3)).save(made, "PNG")
    return made.getvalue()


def _install_picture(types: Path) -> None:
    graphs.BIND["megabyte"] = "1.image"
    graphs.install(types, "megabyte", graphs.megabyte())
    manifest = types / "megabyte" / "manifest.toml"
    text = manifest.read_text()
    start, end = text.index("[[inputs]]"), text.index("[[outputs]]")
    manifest.write_text(
        text[:start] + '[[inputs]]\nname = "image"\nkind = "image"\nbind = ["1.image"]\n\n' + text[end:]
    )


def _calibrated(comfy: str, folder: Path) -> int:
    """How many blurs take half a second there."""
    times = 4
    for _ in range(4):
        made = [
            graphs.numbered("blurring", graphs.blurring(times), random.randrange(1 << 24)) for _ in range(3)
        ]
        took = figures.p50(
            [end - start for start, end in direct.moments(comfy, direct.run(comfy, made, folder).prompts)]
        )
        if 0.4 < took < 0.6:
            break
        times = max(1, round(times * 0.5 / took))
    return times


def _queued(comfy: str) -> int:
    said = direct.ask(places.connect(comfy), "GET", "/prompt")
    return int(said["exec_info"]["queue_remaining"])


def _one(connection: psycopg.Connection[Any], statement: str) -> Any:
    row = connection.execute(statement.encode()).fetchone()
    assert row
    return row[0]
