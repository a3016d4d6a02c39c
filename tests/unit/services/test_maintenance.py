"""Why jobs wait, in words."""

from uuid import uuid4

import pytest

from rushes.ports import Server
from rushes.services.maintenance import waiting_reason


def server(
    state: str = "up", *, enabled: bool = True, draining: bool = False, n: int = 1, name: str = ""
) -> Server:
    url = f"http://gpu{n}:8188"
    return Server(id=uuid4(), url=url, name=name or url, state=state, enabled=enabled, draining=draining)


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        ([], "RUSHES_COMFY_URLS"),
        ([server(enabled=False)], "No ComfyUI server is set up"),
        ([server()], None),
        ([server("down"), server("up", n=2)], None),
        ([server("unknown"), server("down", n=2)], "not answered yet"),
        ([server("down")], "can be reached. The job"),
        ([server("down", name=f"gpu {n}") for n in range(9)], "(gpu 0, gpu 1, gpu 2)"),
        ([server("down", name="the left one"), server("down", n=2)], "(the left one)"),
    ],
)
def test_the_reason_says_what_to_do(servers: list[Server], words: str | None) -> None:
    reason = waiting_reason(servers)
    assert reason is None if words is None else words in (reason or "")
    assert "8188" not in (reason or ""), "where servers are is for administrators"


def test_a_draining_server_is_not_said_to_be_unreachable() -> None:
    reason = waiting_reason([server(draining=True)])
    assert reason is not None
    assert "drain" in reason
    assert "can't be reached" not in reason.lower()
