"""Nodes that choose and convert."""

from typing import Any

from rushes.testing.comfyui.nodes.registry import NodeRun, Result, node


def _wanted_branch(switch: bool, **_: object) -> list[str]:
    return ["on_true" if switch else "on_false"]


@node("ComfySwitchNode", wants=_wanted_branch)
def switch_node(_: NodeRun, switch: bool, on_false: Any = None, on_true: Any = None) -> Result:
    return (on_true if switch else on_false,)


@node("ComfyNotNode")
def not_node(_: NodeRun, value: Any) -> Result:
    return (not value,)


@node("ComfyAndNode")
def and_node(_: NodeRun, **values: object) -> Result:
    return (all(value for name, value in values.items() if "__" in name),)


@node("ComfyOrNode")
def or_node(_: NodeRun, **values: object) -> Result:
    return (any(value for name, value in values.items() if "__" in name),)


@node("ComfyNumberConvert")
def number_convert(_: NodeRun, value: Any) -> Result:
    number = float(value)
    return number, int(number)


@node("SeedNode")
def seed_node(_: NodeRun, seed: int) -> Result:
    return (seed,)
