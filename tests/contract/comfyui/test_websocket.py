"""Who hears what: own jobs, others' jobs, reconnecting, two sockets on one id, browsers of other origins."""

import random
import uuid
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.contract.comfyui.api import Comfy, Run, parse, read_to_end
from tests.contract.comfyui.cases import empty, node, save
from tests.contract.comfyui.test_queue import busy, slow


def quick() -> dict[str, Any]:
    return {"1": empty(color=random.randrange(0xFFFFFF)), "2": save()}


def heard(socket: ClientConnection, prompt_id: str, patience: float = 0.3) -> list[str]:
    """The kinds of events about a prompt that arrive before it is quiet."""
    kinds = []
    try:
        while True:
            event = parse(socket.recv(patience))
            if event.get("data", {}).get("prompt_id") == prompt_id:
                kinds.append(event["type"])
    except TimeoutError:
        return kinds


def test_the_greeting_tells_our_id(comfy: Comfy) -> None:
    with comfy.socket("suite-me") as socket:
        first = parse(socket.recv(5))
        assert (first["type"], first["data"]["sid"]) == ("status", "suite-me")
    with comfy.socket() as socket:
        assert len(parse(socket.recv(5))["data"]["sid"]) == 32


def test_features_are_told_to_who_asks_first(comfy: Comfy) -> None:
    with comfy.socket("suite-flags", {"supports_preview_metadata": True}) as socket:
        socket.recv(5)
        told = parse(socket.recv(5))
        assert told["type"] == "feature_flags"
        assert told["data"]["supports_preview_metadata"] is True


def test_others_hear_nothing_of_a_job(comfy: Comfy) -> None:
    with comfy.socket("suite-other") as other:
        run = comfy.run(quick())
        assert heard(other, run.prompt_id) == []


def test_a_job_without_client_is_told_to_everybody_in_part(comfy: Comfy) -> None:
    with comfy.socket("suite-bystander") as bystander:
        run = comfy.submit(quick())
        comfy.entry(run.prompt_id)
        assert set(heard(bystander, run.prompt_id)) == {"progress_state"}


def test_reconnecting_in_the_middle_tells_the_node_without_a_prompt_id(comfy: Comfy) -> None:
    client_id = uuid.uuid4().hex
    prompt_id = str(uuid.uuid4())
    with comfy.socket(client_id) as socket:
        assert comfy.submit(slow(), client_id=client_id, prompt_id=prompt_id).status_code == 200
        while parse(socket.recv(30)).get("type") != "executing":
            pass
    with comfy.socket(client_id) as again:
        assert parse(again.recv(5))["data"]["sid"] == client_id
        told = parse(again.recv(5))
        assert (told["type"], set(told["data"])) == ("executing", {"node"})
        comfy.post("/interrupt", {"prompt_id": prompt_id})
        run = Run({"prompt_id": prompt_id}, 200)
        read_to_end(again, run)
    assert run.of_type("execution_interrupted")[0]["prompt_id"] == prompt_id


def test_of_two_sockets_with_one_id_the_second_hears_until_the_first_leaves(comfy: Comfy) -> None:
    client_id = uuid.uuid4().hex
    with comfy.socket(client_id) as first:
        with_second = comfy.socket(client_id)
        with with_second as second:
            parse(first.recv(5))
            parse(second.recv(5))
            run = comfy.submit(quick(), client_id=client_id)
            read_to_end(second, run)
            assert heard(first, run.prompt_id) == []
            first.close()
            deaf = comfy.submit(quick(), client_id=client_id)
            comfy.entry(deaf.prompt_id)
            assert heard(second, deaf.prompt_id) == []


def test_nothing_is_replayed_after_the_end(comfy: Comfy) -> None:
    client_id = uuid.uuid4().hex
    run = comfy.submit(quick(), client_id=client_id)
    comfy.entry(run.prompt_id)
    with comfy.socket(client_id) as late:
        assert heard(late, run.prompt_id) == []


def test_garbage_is_ignored(comfy: Comfy) -> None:
    with comfy.socket("suite-garbage") as socket:
        socket.recv(5)
        socket.send("{nonsense")
        socket.send('{"type": "feature_flags", "data": {}}')
        kinds = [parse(socket.recv(5))["type"]]
        while kinds[-1] == "status":
            kinds.append(parse(socket.recv(5))["type"])
        assert kinds[-1] == "feature_flags"


def test_a_size_is_told_as_text_under_its_node(comfy: Comfy) -> None:
    prompt = {
        "1": empty(color=random.randrange(0xFFFFFF)),
        "7": node("GetImageSize", image=["1", 0]),
        "8": node("PreviewAny", source=["7", 0]),
    }
    texts = [event["binary"] for event in comfy.run(prompt).events if "binary" in event]
    assert [(text["event"], text["node"], text["text"]) for text in texts] == [
        (3, "7", "width: 64, height: 64\n batch size: 1")
    ]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://localhost:1"}, 403),
        ({"Host": "comfy.internal:8188", "Origin": "http://app.example"}, 200),
    ],
)
def test_a_page_of_another_origin(comfy: Comfy, headers: dict[str, str], status: int) -> None:
    assert comfy.http.get("/prompt", headers=headers).status_code == status


def test_a_cross_site_request(comfy: Comfy) -> None:
    expected = 403 if comfy.has_jobs else 200
    assert comfy.http.get("/prompt", headers={"Sec-Fetch-Site": "cross-site"}).status_code == expected


def test_a_socket_of_another_origin_is_refused(comfy: Comfy) -> None:
    address = comfy.url.replace("http", "ws", 1) + "/ws"
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(address, additional_headers={"Origin": "http://evil.example"}),
    ):
        pass
    assert refused.value.response.status_code == 403


def test_an_interrupted_job_without_client_is_told_to_everybody(comfy: Comfy) -> None:
    with comfy.socket("suite-witness") as witness:
        with busy(comfy) as running:
            pass
        assert "execution_interrupted" in heard(witness, running)


@pytest.mark.usefixtures("demo_nodes")
def test_progress_counts_up_and_previews_come_in_the_form_asked_for(comfy: Comfy) -> None:
    for flags, event in (({"supports_preview_metadata": True}, 4), ({}, 1)):
        sleep = node("RushesDemoSleep", seconds=0.06, steps=3, preview="PNG", seed=random.randrange(10**9))
        run = comfy.run({"1": sleep, "2": node("PreviewImage", images=["1", 0])}, flags=flags)
        assert [data["value"] for data in run.of_type("progress")] == [1, 2, 3]
        assert [each["binary"]["event"] for each in run.events if "binary" in each] == [event] * 3


@pytest.mark.usefixtures("demo_nodes")
def test_a_failing_node_is_told_with_its_words(comfy: Comfy) -> None:
    prompt = {
        "1": empty(color=random.randrange(0xFFFFFF)),
        "2": node("RushesDemoFail", image=["1", 0], message="boom"),
        "3": node("PreviewImage", images=["2", 0]),
    }
    error = comfy.run(prompt).of_type("execution_error")[0]
    assert (error["exception_type"], error["exception_message"], error["node_id"]) == (
        "RuntimeError",
        "boom\n",
        "2",
    )
    assert (error["node_type"], error["executed"], sorted(error["current_outputs"])) == (
        "RushesDemoFail",
        ["1"],
        ["1", "2", "3"],
    )
