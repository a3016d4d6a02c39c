"""The client against a ComfyUI: the demo server of both generations, or a real one."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rushes.adapters.comfyui.client import HttpComfyServer
from rushes.domain.comfy import ComfyFile, ComfyFileMissing, PromptRejected
from rushes.domain.history import Ending, collect, outcome
from rushes.domain.job import JobErrorCode
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


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(comfy: HttpComfyServer, file: ComfyFile) -> bytes:
    async with comfy.view(file) as stream:
        return b"".join([chunk async for chunk in stream])


async def test_a_picture_from_submit_to_bytes(comfy: HttpComfyServer) -> None:
    prompt_id = new_id()
    async with comfy.events(prompt_id) as events:
        await comfy.submit(prompt_id, picture(f"rushes-test/{prompt_id}"), client_id=events.client_id)
        types = await types_until_done(events, prompt_id)
        entry = (await comfy.find(prompt_id)).history  # never missing after that last event
    assert types[0] == "execution_start"
    assert "execution_success" in types
    assert entry is not None
    assert outcome(entry).ending is Ending.SUCCESS
    (made,) = collect(entry)
    assert (made.node_id, made.node_title, made.node_class) == ("2", "Output", "SaveImage")
    assert made.file is not None
    assert made.file.filename.startswith(prompt_id)
    assert (await read(comfy, made.file)).startswith(b"\x89PNG")


async def test_a_text_arrives_and_returns_character_for_character(comfy: HttpComfyServer) -> None:
    text = "quotes \" ' {{WIDTH}} $& True, back\\slash \t\n\x01 émoji 😀 漢字"
    prompt_id = new_id()
    graph = {
        "1": node("PrimitiveString", value=text),
        "2": node("PreviewAny", "Text", source=["1", 0]),
    }
    await comfy.submit(prompt_id, graph, client_id="nobody")
    entry = await finished(comfy, prompt_id)
    assert [made.text for made in collect(entry)] == [text]
    assert entry["prompt"][2]["1"]["inputs"]["value"] == text


async def test_what_postgres_refuses_never_leaves_the_client(comfy: HttpComfyServer) -> None:
    prompt_id = new_id()
    graph = {
        "1": node("PrimitiveString", value="a\x00b \ud800 😀"),
        "2": node("PreviewAny", source=["1", 0]),
    }
    await comfy.submit(prompt_id, graph, client_id="nobody")
    assert [made.text for made in collect(await finished(comfy, prompt_id))] == ["a\ufffdb \ufffd 😀"]


async def test_each_prompt_hears_its_own_and_they_share_a_connection(comfy: HttpComfyServer) -> None:
    mine, yours = new_id(), new_id()
    async with comfy.events(mine) as first, comfy.events(yours) as second:
        assert first.client_id == second.client_id
        await comfy.submit(mine, picture(), client_id=first.client_id)
        await comfy.submit(yours, picture(), client_id=second.client_id)
        assert "execution_success" in await types_until_done(first, mine)
        assert "execution_success" in await types_until_done(second, yours)
        for stream, own in ((first, mine), (second, yours)):
            while event := await stream.next(0.1):
                assert event.prompt_id == own


async def test_one_prompt_that_leaves_lets_the_other_hear_on(comfy: HttpComfyServer) -> None:
    prompt_id = new_id()
    async with comfy.events(prompt_id) as lasting:
        async with comfy.events(new_id()) as brief:
            assert brief.alive
        assert not brief.alive
        await comfy.submit(prompt_id, picture(), client_id=lasting.client_id)
        assert "execution_success" in await types_until_done(lasting, prompt_id)
        assert lasting.alive
    async with comfy.events(new_id()) as later:
        assert later.client_id != lasting.client_id  # the server may still be closing that one


async def test_a_prompt_that_another_process_sent_is_heard_under_its_client_id(
    comfy: HttpComfyServer,
) -> None:
    prompt_id, sender = new_id(), uuid.uuid4().hex
    await comfy.submit(prompt_id, slow(), client_id=sender)
    async with (
        comfy.events(new_id()) as own,
        comfy.events(prompt_id, client_id=sender) as adopted,
        comfy.events(prompt_id, client_id=sender) as twice,
    ):
        assert own.client_id != adopted.client_id == twice.client_id == sender
        await state_of(comfy, prompt_id, "running")
        await comfy.cancel(prompt_id)
        for stream in (adopted, twice):
            assert "execution_interrupted" in await types_until_done(stream, prompt_id)


async def test_cancel_takes_the_waiting_one_and_no_neighbour(comfy: HttpComfyServer) -> None:
    running, waiting, last = new_id(), new_id(), new_id()
    await comfy.submit(running, slow(), client_id="nobody")
    await comfy.submit(waiting, picture(), client_id="nobody")
    await comfy.submit(last, picture(), client_id="nobody")
    await state_of(comfy, running, "running")
    assert (await comfy.find(waiting)).where == "pending"

    await comfy.cancel(waiting)
    assert (await comfy.find(waiting)).where == "unknown"  # it vanishes without a trace
    assert (await comfy.find(running)).where == "running"
    assert (await comfy.find(last)).where == "pending"

    await comfy.cancel(running)
    assert outcome(await finished(comfy, running)).ending is Ending.INTERRUPTED
    assert outcome(await finished(comfy, last)).ending is Ending.SUCCESS


async def test_cancel_of_what_does_not_run_disturbs_nobody(comfy: HttpComfyServer) -> None:
    done, running = new_id(), new_id()
    await comfy.submit(done, picture(), client_id="nobody")
    await finished(comfy, done)
    await comfy.submit(running, slow(), client_id="nobody")
    await state_of(comfy, running, "running")
    await comfy.cancel(done)
    await comfy.cancel(new_id())
    assert (await comfy.find(running)).where == "running"
    assert outcome(await finished(comfy, done)).ending is Ending.SUCCESS
    await comfy.cancel(running)
    assert outcome(await finished(comfy, running)).ending is Ending.INTERRUPTED


async def test_an_unknown_prompt_is_unknown(comfy: HttpComfyServer) -> None:
    state = await comfy.find(new_id())
    assert (state.where, state.history) == ("unknown", None)


async def test_a_refused_graph_leaves_nothing_behind(comfy: HttpComfyServer) -> None:
    blocker, refused = new_id(), new_id()
    await comfy.submit(blocker, slow(), client_id="nobody")
    graph = picture() | {
        "5": node("LoadImage", "Input image", image="nope.png"),
        "6": node("SaveImage", images=["5", 0], filename_prefix="rushes-test/refused"),
    }
    with pytest.raises(PromptRejected) as caught:
        await comfy.submit(refused, graph, client_id="nobody")  # ComfyUI says 200 and would run the good half
    assert caught.value.code is JobErrorCode.MISSING_INPUT
    assert (
        caught.value.message
        == 'Node 5 "Input image" (LoadImage): the file "nope.png" (input image) is not on the server.'
    )
    assert (await comfy.find(refused)).where == "unknown"
    await comfy.cancel(blocker)
    await state_of(comfy, blocker, "finished")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"1": node("NoSuchNode")}, JobErrorCode.MISSING_NODE),
        ({"1": node("LoadImage", image="nope.png")}, JobErrorCode.MISSING_INPUT),
        (
            {"1": node("EmptyImage", width="abc", height=1, batch_size=1, color=0)},
            JobErrorCode.INVALID_WORKFLOW,
        ),
        (
            {"1": node("EmptyImage", width=8, height=float("nan"), batch_size=1)},
            JobErrorCode.INVALID_WORKFLOW,
        ),
        ({"2": node("EmptyImage", width=8, height=8, batch_size=1, color=0)}, JobErrorCode.INVALID_WORKFLOW),
    ],
)
async def test_refusals(comfy: HttpComfyServer, change: dict[str, Any], code: JobErrorCode) -> None:
    with pytest.raises(PromptRejected) as caught:
        await comfy.submit(new_id(), picture() | change, client_id="nobody")
    assert caught.value.code is code


async def test_a_node_that_raises_is_told_without_paths(comfy: HttpComfyServer) -> None:
    name = await comfy.upload(pieces(b"no picture"), filename="no.png", subfolder=f"jobs/{new_id()}", size=10)
    prompt_id = new_id()
    await comfy.submit(
        prompt_id, picture() | {"1": node("LoadImage", "Input", image=name)}, client_id="nobody"
    )
    ended = outcome(await finished(comfy, prompt_id))
    assert ended.code is JobErrorCode.NODE_ERROR
    assert ended.message.startswith('Node 1 "Input" (LoadImage) failed: ')
    assert "/" not in ended.message
    assert "Traceback" in ended.details["traceback"] or "File " in ended.details["traceback"]


async def test_uploads_keep_names_and_contents_apart(comfy: HttpComfyServer) -> None:
    folder = f"jobs/{new_id()}"
    sent = [("фото.png", b"one"), ("кот.png", b"two"), ("same.bin", b"three"), ("same.bin", b"four")]
    names = [
        await comfy.upload(pieces(content), filename=name, subfolder=folder, size=len(content))
        for name, content in sent
    ]
    assert len(set(names)) == len(sent)
    for name, (_, content) in zip(names, sent, strict=True):
        assert name.isascii()
        subfolder, _, filename = name.rpartition("/")
        assert subfolder == folder
        assert await read(comfy, ComfyFile(filename=filename, subfolder=subfolder, type="input")) == content
    again = await comfy.upload(pieces(b"th", b"ree"), filename="same.bin", subfolder=folder, size=5)
    assert again == names[2]


async def test_a_large_file_goes_there_and_back_in_pieces(comfy: HttpComfyServer) -> None:
    piece, count = bytes(range(256)) * 1024, 40

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield piece

    folder = f"jobs/{new_id()}"
    name = await comfy.upload(stream(), filename="big.bin", subfolder=folder, size=count * len(piece))
    assert name == f"{folder}/big.bin"
    largest = total = 0
    async with comfy.view(ComfyFile(filename="big.bin", subfolder=folder, type="input")) as chunks:
        async for chunk in chunks:
            largest, total = max(largest, len(chunk)), total + len(chunk)
    assert total == count * len(piece)
    assert largest <= 1024 * 1024


async def test_an_input_of_another_size_than_announced_is_refused(comfy: HttpComfyServer) -> None:
    with pytest.raises(PromptRejected, match="only 3 of 5 bytes"):
        await comfy.upload(pieces(b"abc"), filename="x.bin", subfolder="jobs/x", size=5)
    assert (await comfy.system_stats()).version  # and the connection is none the worse


@pytest.mark.parametrize("name", ["nope.png", "../../secret", "a/b.png"])
async def test_a_file_that_is_not_there(comfy: HttpComfyServer, name: str) -> None:
    with pytest.raises(ComfyFileMissing):
        await read(comfy, ComfyFile(filename=name))


async def test_what_a_server_says_of_itself(comfy: HttpComfyServer) -> None:
    stats = await comfy.system_stats()
    assert stats.version[0].isdigit()
    assert stats.devices[0]["name"]
    nodes = await comfy.object_info()
    assert "LoadImage" in nodes
    await comfy.free()
