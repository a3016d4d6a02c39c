"""What a demo server has done, asked past Rushes."""

from typing import Any

import httpx2

from rushes.testing.comfyui import DemoServer


def ask(demo: DemoServer, path: str) -> Any:
    return httpx2.get(demo.url + path, timeout=10, trust_env=False).json()


def prompts(demo: DemoServer) -> dict[str, str]:
    """Prompts that have ended on it, and how: success, error or interrupted."""
    ended = {}
    for prompt_id, entry in ask(demo, "/history").items():
        messages = [name for name, _ in entry["status"]["messages"]]
        interrupted = "execution_interrupted" in messages
        ended[prompt_id] = "interrupted" if interrupted else entry["status"]["status_str"]
    return ended


def at_hand(demo: DemoServer) -> list[str]:
    """Prompts that run or wait on it."""
    queue = ask(demo, "/queue")
    return [entry[1] for entry in queue["queue_running"] + queue["queue_pending"]]
