"""The client and a server that breaks."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rushes.adapters.comfyui.client import HttpComfyServer, HttpComfyServers
from rushes.domain.comfy import ComfyFile, ComfyUnreachable, PromptRejected
from rushes.domain.history import collect, outcome
from rushes.domain.job import JobErrorCode
from rushes.testing.comfyui import DemoServer
from tests.integration.comfy_client.graphs import (
    finished,
    new_id,
    node,
    picture,
    slow,
    state_of,
    types_until_done,
)

pytestmark = pytest.mark.anyio


async def many(size: int, piece: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, size, piece):
        yield bytes(min(piece, size - start))


async def test_a_lost_answer_is_found(demo: DemoServer, broken: HttpComfyServer) -> None:
    demo.faults.add("lose_answer", route="/prompt", method="POST", times=1)
    prompt_id = new_id()
    with pytest.raises(ComfyUnreachable):
        await broken.submit(prompt_id, picture(), client_id="nobody")
    assert collect(await finished(broken, prompt_id))


async def test_a_restart_forgets_the_prompt(demo: DemoServer, broken: HttpComfyServer) -> None:
    prompt_id = new_id()
    await broken.submit(prompt_id, slow(), client_id="nobody")
    await state_of(broken, prompt_id, "running")
    demo.stop()
    with pytest.raises(ComfyUnreachable, match="Nothing answers"):
        await broken.find(prompt_id)
    demo.start()
    assert (await broken.find(prompt_id)).where == "unknown"


async def test_a_connection_that_is_cut_ends_the_events(demo: DemoServer, broken: HttpComfyServer) -> None:
    prompt_id = new_id()
    async with broken.events(prompt_id) as events, broken.events(new_id()) as others:
        demo.stop()
        began = time.monotonic()
        while events.alive or others.alive:
            await events.next(5)
        assert time.monotonic() - began < 3
        with pytest.raises(ComfyUnreachable, match="Nothing answers"):
            async with broken.events(prompt_id, client_id=events.client_id):
                pass
        demo.start()
        async with broken.events(prompt_id, client_id=events.client_id) as again:
            assert again.client_id == events.client_id
            await broken.submit(prompt_id, picture(), client_id=again.client_id)
            assert "execution_success" in await types_until_done(again, prompt_id)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "drop"}, "closed the connection"),
        ({"kind": "status", "status": 500}, "failed inside on /queue .500."),
        ({"kind": "status", "status": 503}, "proxy at .* can't reach ComfyUI .503."),
        ({"kind": "status", "status": 401}, "refuses access .401."),
        ({"kind": "status", "status": 418}, "answered 418"),
        ({"kind": "html"}, "web page"),
        ({"kind": "delay", "seconds": 5}, "stopped answering"),
        ({"kind": "truncate", "bytes": 5}, "closed the connection|only"),
    ],
)
async def test_a_queue_that_cannot_be_read_is_never_taken_for_an_empty_one(
    demo: DemoServer, broken: HttpComfyServer, fault: dict[str, Any], words: str
) -> None:
    await broken.system_stats()
    demo.faults.add(route="/queue", **fault)
    demo.faults.add(
        "status", route="/api/jobs/*", status=500
    )  # so that the queue is asked by both generations
    with pytest.raises(ComfyUnreachable, match=words):
        await broken.find(new_id())


async def test_a_route_that_fails_inside_is_gone_around(demo: DemoServer, broken: HttpComfyServer) -> None:
    prompt_id = new_id()
    await broken.submit(prompt_id, picture(), client_id="nobody")
    demo.faults.add("status", route="/api/jobs/*", status=500)
    assert collect(await finished(broken, prompt_id))


@pytest.mark.parametrize("kind", ["truncate", "lie_length"])
async def test_a_file_that_arrives_in_part_is_an_error(
    demo: DemoServer, broken: HttpComfyServer, kind: str
) -> None:
    await broken.upload(many(100_000), filename="x.bin", subfolder="s", size=100_000)
    file = ComfyFile(filename="x.bin", subfolder="s", type="input")
    demo.faults.add(kind, route="/view", bytes=1000, times=1)
    with pytest.raises(ComfyUnreachable):
        async with broken.view(file) as chunks:
            assert sum([len(chunk) async for chunk in chunks]) < 0
    async with broken.view(file) as chunks:
        assert sum([len(chunk) async for chunk in chunks]) == 100_000


async def test_a_slow_file_may_take_its_time(demo: DemoServer, broken: HttpComfyServer) -> None:
    await broken.upload(many(30_000), filename="x.bin", subfolder="s", size=30_000)
    demo.faults.add("slow_body", route="/view", bytes_per_second=20_000, times=1)
    async with broken.view(ComfyFile(filename="x.bin", subfolder="s", type="input")) as chunks:
        assert sum([len(chunk) async for chunk in chunks]) == 30_000


async def test_half_a_file_may_be_left_unread(broken: HttpComfyServer) -> None:
    await broken.upload(many(150_000), filename="x.bin", subfolder="s", size=150_000)
    async with broken.view(ComfyFile(filename="x.bin", subfolder="s", type="input")) as chunks:
        async for _ in chunks:
            break
    assert (await broken.system_stats()).version


@pytest.mark.parametrize("size", [250_000, 20_000_000])
async def test_a_file_that_is_too_large_is_refused_in_words(broken: HttpComfyServer, size: int) -> None:
    with pytest.raises(PromptRejected, match="larger than this ComfyUI server accepts") as caught:
        await broken.upload(many(size), filename="x.bin", subfolder="s", size=size)
    assert caught.value.code is JobErrorCode.UPLOAD_FAILED


async def test_a_server_that_breaks_in_an_upload_is_unreachable(
    demo: DemoServer, broken: HttpComfyServer
) -> None:
    demo.faults.add("drop", route="/upload/image")
    with pytest.raises(ComfyUnreachable):
        await broken.upload(many(1000), filename="x.bin", subfolder="s", size=1000)


async def test_out_of_memory_is_told_apart(demo: DemoServer, broken: HttpComfyServer) -> None:
    demo.faults.add("out_of_memory", node="EmptyImage")
    prompt_id = new_id()
    await broken.submit(prompt_id, picture(), client_id="nobody")
    assert outcome(await finished(broken, prompt_id)).code is JobErrorCode.OUT_OF_MEMORY


async def test_a_deaf_reader_stalls_nobody(broken: HttpComfyServer) -> None:
    """Thousands of events that nobody takes: the socket is read all the same, and the endings are kept."""
    prompt_id = new_id()
    graph = picture() | {"1": node("RushesDemoSleep", seconds=0.5, steps=2000)}
    second = new_id()
    async with broken.events(prompt_id) as idle, broken.events(second) as other:
        await broken.submit(prompt_id, graph, client_id=idle.client_id)
        await finished(broken, prompt_id)
        await broken.submit(second, picture(), client_id=other.client_id)
        assert "execution_success" in await types_until_done(other, second)
        assert "execution_success" in await types_until_done(idle, prompt_id)


async def test_another_generation_behind_the_same_address(demo: DemoServer) -> None:
    versions = {"0.33.0": "0.3.64", "0.3.64": "0.33.0"}
    servers = HttpComfyServers()
    comfy = servers.at(demo.url)
    was = (await comfy.system_stats()).version
    await comfy.find(new_id())
    demo.stop()
    with DemoServer(version=versions[was], port=demo.port, extra_nodes=True):
        assert (await comfy.system_stats()).version == versions[was]
        prompt_id = new_id()
        await comfy.submit(prompt_id, slow(), client_id="nobody")
        await state_of(comfy, prompt_id, "running")
        await comfy.cancel(prompt_id)
        assert outcome(await finished(comfy, prompt_id)).code is JobErrorCode.INTERRUPTED
    await servers.aclose()
