"""How a prompt can end badly, and what ComfyUI tells of it."""

import traceback
from collections.abc import Mapping
from typing import Any

_MEMORY_WORDS = (
    "Allocation on device 0 would exceed allowed memory. (out of memory)\n"
    "Currently allocated     : 22.90 GiB\nRequested               : 2.25 GiB\nDevice limit            : 23.54 GiB\n"
    "Free (according to CUDA): 20.69 MiB\nPyTorch limit (set by user-supplied memory fraction)\n"
    "                        : 17179869184.00 GiB\n"
    "This error means you ran out of memory on your GPU.\n\n"
    "TIPS: If the workflow worked before you might have accidentally set the batch_size to a large number."
)


class Interrupted(BaseException):
    """The prompt was cancelled; no node may catch it as an error."""


class OutOfMemory(Exception):
    """The GPU is full."""

    def __init__(self) -> None:
        super().__init__(_MEMORY_WORDS)


class Died(BaseException):
    """The process is to end, as if killed."""


def failure_report(error: Exception, inputs: Mapping[str, list[Any]], nodes: list[str]) -> dict[str, Any]:
    """The part of an execution_error event that tells of the exception."""
    memory = isinstance(error, OutOfMemory)
    return {
        "exception_message": f"{error}" if memory else f"{error}\n",
        "exception_type": "torch.OutOfMemoryError" if memory else _type_name(error),
        "traceback": traceback.format_tb(error.__traceback__),
        "current_inputs": {name: [_shortened(value) for value in values] for name, values in inputs.items()},
        "current_outputs": nodes,
    }


def _type_name(error: Exception) -> str:
    kind = next(each for each in type(error).__mro__ if not each.__module__.startswith("rushes."))
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _shortened(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)[:500]
