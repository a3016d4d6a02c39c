"""What running a node leaves behind."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rushes.testing.comfyui.nodes.registry import Result, Shown


@dataclass(frozen=True)
class Outcome:
    """A list of values for every output, and what the node shows."""

    values: tuple[list[Any], ...]
    ui: dict[str, Any] | None = None


def gathered(results: list[Result], gives_list: Callable[[int], bool]) -> Outcome:
    """One outcome of several calls; `gives_list` tells which outputs are lists by themselves."""
    values: list[list[Any]] = []
    ui: dict[str, list[Any]] | None = None
    for result in results:
        outputs = result.outputs if isinstance(result, Shown) else result
        for slot, value in enumerate(outputs):
            if slot == len(values):
                values.append([])
            values[slot] += value if gives_list(slot) and isinstance(value, list) else [value]
        if isinstance(result, Shown):
            ui = result.ui if ui is None else _merged(ui, result.ui)
    return Outcome(tuple(values), ui)


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    keys = dict.fromkeys(itertools.chain(first, second))
    return {key: [*first.get(key, []), *second.get(key, [])] for key in keys}
