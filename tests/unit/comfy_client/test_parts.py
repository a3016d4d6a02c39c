"""The small parts of the client: addresses, upload names and bodies, the event buffer."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.adapters.comfyui.address import Address
from rushes.adapters.comfyui.buffer import EventBuffer
from rushes.adapters.comfyui.multipart import UploadBody, ascii_name
from rushes.domain.comfy import ComfyUnreachable, PromptRejected
from rushes.ports import ComfyEvent


@pytest.mark.parametrize(
    ("configured", "url", "websocket"),
    [
        ("http://127.0.0.1:8188", "http://127.0.0.1:8188", "ws://127.0.0.1:8188/ws"),
        (" https://gpu.example/comfy/ ", "https://gpu.example/comfy", "wss://gpu.example/comfy/ws"),
        ("http://[::1]:8188/", "http://[::1]:8188", "ws://[::1]:8188/ws"),
    ],
)
def test_an_address(configured: str, url: str, websocket: str) -> None:
    address = Address.parse(configured)
    assert (address.url, address.websocket, dict(address.headers)) == (url, websocket, {})


def test_credentials_become_a_header_and_are_never_shown() -> None:
    address = Address.parse("http://anna:p%40ss@gpu:8188", {"X-Key": "k"})
    assert address.headers == {"Authorization": "Basic YW5uYTpwQHNz", "X-Key": "k"}
    assert "p@ss" not in repr(address)
    assert "anna" not in repr(address)


@pytest.mark.parametrize(
    "configured", ["", "127.0.0.1:8188", "ftp://x", "http://", "http://h:99999", "http://[::1"]
)
def test_what_is_no_address_is_said(configured: str) -> None:
    with pytest.raises(ComfyUnreachable, match="no ComfyUI address"):
        Address.parse(configured)


def test_a_bad_address_shows_no_password() -> None:
    with pytest.raises(ComfyUnreachable) as caught:
        Address.parse("ftp://anna:secret@gpu")
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("plain", ["a.png", "Ab-1_2.mp4", "input"])
def test_a_plain_name_is_kept(plain: str) -> None:
    assert ascii_name(plain) == plain


def test_names_that_change_stay_apart_and_keep_their_extension() -> None:
    first, second = ascii_name("фото.png"), ascii_name("кот.png")
    assert first != second
    assert first.endswith(".png")
    assert second.endswith(".png")


@given(st.text(max_size=400))
def test_every_name_is_made_safe(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,120}(\.[A-Za-z0-9]{1,10})?", ascii_name(name))


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.mark.anyio
async def test_a_body_is_as_long_as_it_says() -> None:
    body = UploadBody(pieces(b"abc", b"", b"de"), filename="x.bin", size=5, fields={"subfolder": "jobs/1"})
    sent = b"".join([chunk async for chunk in body])
    assert len(sent) == int(body.headers["Content-Length"])
    assert (
        b'name="image"; filename="x.bin"\r\nContent-Type: application/octet-stream\r\n\r\nabcde\r\n--' in sent
    )


@pytest.mark.parametrize("chunks", [(b"abc",), (b"abc", b"def"), ()])
@pytest.mark.anyio
async def test_a_stream_of_another_length_is_refused(chunks: tuple[bytes, ...]) -> None:
    body = UploadBody(pieces(*chunks), filename="x.bin", size=5, fields={})
    with pytest.raises(PromptRejected, match="of 5 bytes"):
        [chunk async for chunk in body]


def event(kind: str, prompt_id: str = "a", **data: int) -> ComfyEvent:
    return ComfyEvent(type=kind, prompt_id=prompt_id, data=dict(data))


async def drained(buffer: EventBuffer) -> list[ComfyEvent]:
    found = []
    while (taken := await buffer.take(0.01)) is not None:
        found.append(taken)
    return found


@pytest.mark.anyio
async def test_newer_progress_replaces_older_of_its_prompt() -> None:
    buffer = EventBuffer()
    for n in range(3):
        buffer.put(event("progress", "a", value=n))
        buffer.put(event("progress", "b", value=n))
    buffer.put(event("executing"))
    assert await drained(buffer) == [
        event("progress", "a", value=2),
        event("progress", "b", value=2),
        event("executing"),
    ]


@pytest.mark.anyio
async def test_a_full_buffer_lets_progress_go_first_then_the_oldest() -> None:
    buffer = EventBuffer(room=3)
    for n in range(2):
        buffer.put(event("executed", node=n))
    buffer.put(event("progress"))
    buffer.put(event("executed", node=2))
    held = await drained(buffer)
    assert [each.data.get("node") for each in held] == [0, 1, 2]
    for each in held:
        buffer.put(each)
    buffer.put(event("execution_success"))
    assert [e.data.get("node") for e in await drained(buffer)] == [1, 2, None]


@pytest.mark.anyio
async def test_the_end_is_told_once_and_then_costs_time() -> None:
    buffer = EventBuffer()
    buffer.put(event("executed"))
    buffer.end()
    assert await buffer.take(5) == event("executed")
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await buffer.take(5) is None
    assert loop.time() - began < 1
    began = loop.time()
    assert await buffer.take(0.05) is None
    assert loop.time() - began >= 0.04


@pytest.mark.anyio
async def test_a_take_that_is_cancelled_loses_nothing() -> None:
    buffer = EventBuffer()
    waiting = asyncio.create_task(buffer.take(5))
    await asyncio.sleep(0)
    waiting.cancel()
    buffer.put(event("executed"))
    assert await buffer.take(1) == event("executed")
