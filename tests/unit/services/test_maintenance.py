"""Why jobs wait, in words."""

from uuid import uuid4

import pytest

from rushes.ports import Server
from rushes.services.maintenance import waiting_reason


def server(state: str = "up", *, enabled: bool = True, draining: bool = False, n: int = 1) -> Server:
    url = f"http://gpu{n}:8188"
    return Server(id=uuid4(), url=url, name=url, state=state, enabled=enabled, draining=draining)


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        ([], "RUSHES_COMFY_URLS"),
        ([server(enabled=False)], "No ComfyUI server is set up"),
        ([server()], None),
        ([server("down"), server("up", n=2)], None),
        ([server("unknown"), server("down", n=2)], "not answered yet"),
        ([server("down")], "(http://gpu1:8188)"),
        ([server("down", n=n) for n in range(9)], "(http://gpu0:8188, http://gpu1:8188, http://gpu2:8188)"),
    ],
)
def test_the_reason_says_what_to_do(servers: list[Server], words: str | None) -> None:
    reason = waiting_reason(servers)
    assert reason is None if words is None else words in (reason or "")


def test_a_draining_server_is_not_said_to_be_unreachable() -> None:
    reason = waiting_reason([server(draining=True)])
    assert reason is not None
    assert "drain" in reason
    assert "can't be reached" not in reason.lower()
