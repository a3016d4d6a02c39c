"""Graphs that every server here runs, and how to wait for them."""

import asyncio
import os
import time
from typing import Any
from uuid import uuid4

from rushes.adapters.comfyui.client import HttpComfyServer
from rushes.ports import ComfyEvents, PromptState

REAL = os.environ.get("RUSHES_TEST_COMFY_URL")
Graph = dict[str, Any]


def new_id() -> str:
    return str(uuid4())


def node(class_type: str, title: str | None = None, **inputs: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"class_type": class_type, "inputs": inputs}
    return made | {"_meta": {"title": title}} if title else made


def picture(prefix: str | None = None, *, size: int = 64) -> Graph:
    """One small picture, never the same prompt twice."""
    return {
        "1": node("EmptyImage", width=size, height=size, batch_size=1, color=7),
        "2": node(
            "SaveImage", "Output", images=["1", 0], filename_prefix=prefix or f"rushes-test/{new_id()}"
        ),
    }


def slow() -> Graph:
    """Some seconds of work that can be interrupted."""
    graph = picture(size=768)
    if not REAL:
        return graph | {
            "1": node("RushesDemoSleep", seconds=20.0, steps=400),
        }
    graph["1"]["inputs"] |= {"batch_size": 4, "color": uuid4().int % 2**24}
    for n in range(10, 18):
        graph[str(n)] = node("ImageBlur", image=[str(n - 1) if n > 10 else "1", 0], blur_radius=16, sigma=3.0)
    graph["2"]["inputs"]["images"] = ["17", 0]
    return graph


async def state_of(comfy: HttpComfyServer, prompt_id: str, *wanted: str, seconds: float = 20) -> PromptState:
    """Wait until the prompt is in one of the states."""
    until = time.monotonic() + seconds
    while (state := await comfy.find(prompt_id)).where not in wanted:
        assert time.monotonic() < until, f"{prompt_id} is {state.where}, not one of {wanted}"
        await asyncio.sleep(0.01)
    return state


async def finished(comfy: HttpComfyServer, prompt_id: str) -> dict[str, Any]:
    """The history entry, once there is one."""
    state = await state_of(comfy, prompt_id, "finished")
    assert state.history is not None
    return state.history


async def types_until_done(events: ComfyEvents, prompt_id: str) -> list[str]:
    """The types of a prompt's events, up to the one that says that nothing runs any more."""
    types: list[str] = []
    while True:
        event = await events.next(10)
        assert event is not None, types
        if event.prompt_id == prompt_id:
            types.append(event.type)
            if event.type == "executing" and event.data.get("node") is None:
                return types
