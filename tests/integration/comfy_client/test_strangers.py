"""What is not a ComfyUI, said in words; and that only the configured address is contacted."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from rushes.adapters.comfyui.client import HttpComfyServers
from rushes.domain.comfy import ComfyFile, ComfyFileMissing, ComfyUnreachable
from tests.integration.comfy_client.graphs import new_id, picture
from tests.integration.comfy_client.stranger import Asked, Stranger, reply, stranger

pytestmark = pytest.mark.anyio


@pytest.fixture
async def servers() -> AsyncIterator[HttpComfyServers]:
    made = HttpComfyServers(connect_seconds=1, stall_seconds=0.5, headers={})
    yield made
    await made.aclose()


async def said(servers: HttpComfyServers, url: str) -> str:
    with pytest.raises(ComfyUnreachable) as caught:
        await servers.at(url).system_stats()
    assert url.partition("://")[2] in caught.value.message
    return caught.value.message


async def said_by_socket(servers: HttpComfyServers, url: str) -> str:
    with pytest.raises(ComfyUnreachable) as caught:
        async with servers.at(url).events("nobody"):
            pass
    return caught.value.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(200, b"<html>hello</html>", content_type="text/html; charset=utf-8"), "web page"),
        (reply(200, b"hello"), "not with the JSON"),
        (reply(200, b"[1]"), "not as a ComfyUI does"),
        (reply(200, {"hello": 1}), "not as a ComfyUI does"),
        (reply(404, b""), "answered 404 to /system_stats"),
        (reply(401, b"", www_authenticate="Basic"), "login"),
        (reply(502, b""), "Is ComfyUI running behind it"),
        (b"220 mail.example ESMTP\r\n\r\n", "doesn't speak HTTP"),
        (b"", "closed the connection"),
        (reply(200, b"{}", content_length="50"), "closed the connection"),
    ],
)
async def test_other_programs(servers: HttpComfyServers, answer: bytes, words: str) -> None:
    async with stranger(answer) as other:
        assert words in await said(servers, other.url)
        assert await said_by_socket(servers, other.url)


async def test_a_redirect_is_named_and_not_followed(servers: HttpComfyServers) -> None:
    async with stranger(reply(200, {"system": {"comfyui_version": "9"}})) as target:
        moved = reply(302, b"", location=f"{target.url}/secret?token=1")
        async with stranger(moved) as other:
            for words in (await said(servers, other.url), await said_by_socket(servers, other.url)):
                assert "redirects to http://127.0.0.1" in words
                assert "token" not in words
            with pytest.raises(ComfyUnreachable):
                await servers.at(other.url).submit(new_id(), picture(), client_id="x")
        assert target.asked == []


async def test_a_program_that_says_nothing(servers: HttpComfyServers) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert "stopped answering" in await said(servers, url)
        assert "websocket" in await said_by_socket(servers, url)


async def test_no_tls_where_tls_is_configured(servers: HttpComfyServers) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)  # a TLS greeting, which no HTTP server understands
        writer.write(reply(400))
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert "Should it be http://" in await said(servers, url)
        assert "Should it be http://" in await said_by_socket(servers, url)


async def test_a_name_that_is_not_known(servers: HttpComfyServers) -> None:
    url = "http://no-such-host.invalid:8188"
    assert "host name" in await said(servers, url)
    assert "host name" in await said_by_socket(servers, url)


async def test_proxies_of_the_environment_are_not_used(
    servers: HttpComfyServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stranger(reply(200, {"system": {}})) as proxy, stranger(reply(200, {"system": {}})) as comfy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert (await servers.at(comfy.url).system_stats()).version == "unknown"
        await said_by_socket(servers, comfy.url)
        assert [asked.path.partition("?")[0] for asked in comfy.asked] == ["/system_stats", "/ws"]
        assert proxy.asked == []


async def test_every_request_carries_the_servers_headers_and_no_origin() -> None:
    async with stranger(reply(200, {"system": {}})) as comfy:
        url = comfy.url.replace("://", "://anna:pass@") + "/under/here/"
        servers = HttpComfyServers(headers={url: {"X-Token": "secret"}})
        await servers.at(url).system_stats()
        await said_by_socket(servers, url)
        await servers.aclose()
    assert [asked.path.partition("?")[0] for asked in comfy.asked] == [
        "/under/here/system_stats",
        "/under/here/ws",
    ]
    for asked in comfy.asked:
        assert asked.headers["x-token"] == "secret"
        assert asked.headers["authorization"] == "Basic YW5uYTpwYXNz"
        assert not {"origin", "sec-fetch-site", "cookie"} & set(asked.headers)


async def test_the_request_is_made_by_us_alone(servers: HttpComfyServers) -> None:
    prompt_id, graph = new_id(), picture()
    async with stranger(reply(200, {"prompt_id": prompt_id, "number": 1, "node_errors": {}})) as comfy:
        await servers.at(comfy.url).submit(prompt_id, graph, client_id="c")
    assert json.loads(comfy.asked[0].body) == {
        "prompt": graph,
        "client_id": "c",
        "prompt_id": prompt_id,
        "extra_data": {},
    }


async def test_a_server_that_minted_its_own_prompt_id_is_told_to_drop_it(servers: HttpComfyServers) -> None:
    async with stranger(
        lambda asked: reply(200, {"prompt_id": "theirs"} if asked.path == "/prompt" else {})
    ) as comfy:
        with pytest.raises(ComfyUnreachable, match="doesn't keep our prompt id"):
            await servers.at(comfy.url).submit(new_id(), picture(), client_id="c")
    assert {"delete": ["theirs"]} in [json.loads(asked.body or b"{}") for asked in comfy.asked]


def old_comfyui(version: str, running: str) -> Callable[[Asked], bytes]:
    """As far as cancel sees of a server without /api/jobs."""
    answers: dict[str, dict[str, Any]] = {
        "/system_stats": {"system": {"comfyui_version": version}},
        "/queue": {"queue_running": [[0, running, {}, {}, []]], "queue_pending": []},
        "/interrupt": {},
    }

    def answer(asked: Asked) -> bytes:
        return reply(200, answers[asked.path]) if asked.path in answers else reply(405, b"")

    return answer


def interrupts(comfy: Stranger) -> list[object]:
    return [json.loads(asked.body) for asked in comfy.asked if asked.path == "/interrupt"]


async def test_only_a_server_that_knows_ids_is_interrupted(servers: HttpComfyServers) -> None:
    ours = new_id()
    async with stranger(old_comfyui("0.3.56", ours)) as comfy:
        await servers.at(comfy.url).cancel(ours)
        assert interrupts(comfy) == [{"prompt_id": ours}]
    for version in ("0.3.55", "unknown"):
        async with stranger(old_comfyui(version, ours)) as comfy:
            await servers.at(comfy.url).cancel(ours)
            assert interrupts(comfy) == []


async def test_a_neighbour_is_never_interrupted(servers: HttpComfyServers) -> None:
    ours, neighbours = new_id(), new_id()
    async with stranger(old_comfyui("0.3.64", neighbours)) as comfy:
        await servers.at(comfy.url).cancel(ours)
        assert interrupts(comfy) == []


async def test_a_neighbours_graph_that_mentions_our_id_is_not_ours(servers: HttpComfyServers) -> None:
    ours = new_id()
    queue = {"queue_running": [[0, new_id(), {"1": {"inputs": {"text": ours}}}, {}, []]], "queue_pending": []}

    def answer(asked: Asked) -> bytes:
        body = {"/queue": queue, f"/history/{ours}": {}}.get(asked.path)
        return reply(404) if body is None else reply(200, body)

    async with stranger(answer) as comfy:
        assert (await servers.at(comfy.url).find(ours)).where == "unknown"


async def test_places_in_the_queue_go_by_number_not_by_order(servers: HttpComfyServers) -> None:
    ours = new_id()
    pending: list[list[Any]] = [
        [number, ours if number == 5 else new_id(), {}, {}, []] for number in (-3, 7, 5, 4)
    ]

    async with stranger(
        lambda asked: (
            reply(200, {"queue_running": [], "queue_pending": pending})
            if asked.path == "/queue"
            else reply(404)
        )
    ) as comfy:
        state = await servers.at(comfy.url).find(ours)
    assert (state.where, state.position) == ("pending", 2)


async def test_a_login_page_is_not_stored_as_a_picture(servers: HttpComfyServers) -> None:
    async with stranger(reply(200, b"<html>log in</html>", content_type="text/html")) as other:
        with pytest.raises(ComfyUnreachable, match="login page"):
            async with servers.at(other.url).view(ComfyFile(filename="a.png")):
                pass


async def test_an_empty_picture_is_no_result_and_an_empty_text_is_one(servers: HttpComfyServers) -> None:
    async with stranger(reply(200)) as other:
        with pytest.raises(ComfyFileMissing, match=r"a\.png is empty on the ComfyUI server"):
            async with servers.at(other.url).view(ComfyFile(filename="a.png")) as chunks:
                assert [chunk async for chunk in chunks] == []
        async with servers.at(other.url).view(ComfyFile(filename="caption.txt")) as chunks:
            assert [chunk async for chunk in chunks] == []


async def test_a_message_names_no_more_of_a_file_than_can_be_read(servers: HttpComfyServers) -> None:
    async with stranger(reply(404)) as other:
        with pytest.raises(ComfyFileMissing) as raised:
            async with servers.at(other.url).view(ComfyFile(filename="x" * 5000)):
                pass
        assert len(str(raised.value)) < 250
