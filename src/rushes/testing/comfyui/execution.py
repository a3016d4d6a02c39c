"""Running one prompt: node after node, with ComfyUI's events, errors and history entry."""

import itertools
import random
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from rushes.testing.comfyui.cache import Outcome, Results, Signatures
from rushes.testing.comfyui.definitions import Catalogue
from rushes.testing.comfyui.faults import Faults
from rushes.testing.comfyui.folders import Folders
from rushes.testing.comfyui.generation import Generation
from rushes.testing.comfyui.hub import Hub
from rushes.testing.comfyui.nodes import NODES
from rushes.testing.comfyui.nodes.registry import Blocked, Result, Shown
from rushes.testing.comfyui.plan import Plan
from rushes.testing.comfyui.progress import Progress
from rushes.testing.comfyui.queue import Item
from rushes.testing.comfyui.validation import is_link

_OUT_OF_MEMORY = (
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


class Died(BaseException):
    """The process is to end, as if killed."""


@dataclass
class Surroundings:
    """What every prompt of one server runs in."""

    generation: Generation
    catalogue: Catalogue
    folders: Folders
    hub: Hub
    faults: Faults
    results: Results
    interrupt: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    temp_names: dict[str, str] = field(default_factory=dict)


class Execution:
    """One run of one prompt."""

    def __init__(self, around: Surroundings, item: Item) -> None:
        self._around = around
        self._item = item
        self._hub = around.hub
        self._progress = Progress(item.prompt_id, around.hub)
        self._signatures = Signatures(item.prompt, around.catalogue, around.folders).all()
        self._outcomes: dict[str, Outcome] = {}
        self._executed: list[str] = []
        self._shown: dict[str, Outcome] = {}
        self._messages: list[tuple[str, dict[str, Any]]] = []
        self._plan = Plan(item.prompt, around.catalogue, lambda node: self._known(node) is not None)

    def run(self) -> dict[str, Any]:
        """Execute and return the history entry's outputs, status and meta."""
        self._around.interrupt.clear()
        client = self._item.extra_data.get("client_id")
        self._hub.client_id = str(client) if client is not None else None
        self._around.results.start(self._signatures)
        self._say("execution_start", {})
        cached = [node for node in self._item.prompt if self._known(node) is not None]
        self._say("execution_cached", {"nodes": cached})
        completed = self._run_nodes()
        if completed:
            self._say("execution_success", {})
        self._hub.last_node = None
        return self._entry(completed)

    def _run_nodes(self) -> bool:
        for output in self._item.outputs:
            self._plan.add(output)
        node = ""
        try:
            while len(self._plan):
                node = self._plan.next()
                self._step(node)
        except Interrupted:
            self._say("execution_interrupted", self._about(node), broadcast=True)
            return False
        except Exception as error:  # whatever a node raises becomes its execution_error
            self._say("execution_error", self._failure(node, error))
            return False
        return True

    def _step(self, node: str) -> None:
        known = self._known(node)
        if known is not None:
            self._show_cached(node, known)
        else:
            self._progress.start(node)
            self._tell_client("executing", {"node": node, "display_node": node})
            self._hub.last_node = node if self._hub.client_id is not None else None
            if not self._run_node(node):
                return
            self._progress.finish(node)
            self._executed.append(node)
        self._plan.finish(node)

    def _known(self, node: str) -> Outcome | None:
        return self._outcomes.get(node) or self._around.results.get(self._signatures.get(node))

    def _show_cached(self, node: str, outcome: Outcome) -> None:
        self._tell_client("executed", {"node": node, "display_node": node, "output": outcome.ui})
        if outcome.ui is not None:
            self._shown[node] = outcome
        self._progress.finish(node)

    def _run_node(self, node: str) -> bool:
        """Run it; False when it first wants inputs that were left out."""
        self._check()
        self._misbehave(node)
        inputs = self._inputs(node)
        wanted = self._still_wanted(node, inputs)
        if wanted:
            for name in wanted:
                self._plan.need(node, name)
            return False
        outcome = self._mapped(node, inputs)
        if outcome.ui is not None:
            self._shown[node] = outcome
            self._tell_client("executed", {"node": node, "display_node": node, "output": outcome.ui})
        self._outcomes[node] = outcome
        self._around.results.put(self._signatures.get(node), outcome)
        return True

    def _misbehave(self, node: str) -> None:
        faults, class_type = self._around.faults, self._class_type(node)
        faults.hold_thread("worker", self._around.stopped.is_set)
        self._check()
        if faults.take("exit_at_node", node=class_type):
            raise Died
        if faults.take("out_of_memory", node=class_type):
            raise OutOfMemory(_OUT_OF_MEMORY)
        failing = faults.take("fail_at_node", node=class_type)
        if failing is not None:
            raise RuntimeError(failing.message)

    def _check(self) -> None:
        if self._around.stopped.is_set():
            raise Died
        if self._around.interrupt.is_set():
            self._around.interrupt.clear()
            raise Interrupted

    def _class_type(self, node: str) -> str:
        return str(self._item.prompt[node]["class_type"])

    def _inputs(self, node: str) -> dict[str, list[Any]]:
        given = self._item.prompt[node]["inputs"]
        declared = self._around.catalogue[self._class_type(node)].inputs(given)
        inputs: dict[str, list[Any]] = {}
        for name, value in given.items():
            one = declared.get(name)
            if one is None or (one.is_dynamic and not isinstance(value, list) and one.option(value) is None):
                continue
            if is_link(value):
                source = self._known(value[0])
                if source is not None:
                    inputs[name] = source.values[value[1]] if value[1] < len(source.values) else [None]
            else:
                inputs[name] = [value]
        return inputs

    def _still_wanted(self, node: str, inputs: Mapping[str, list[Any]]) -> list[str]:
        wants = NODES[self._class_type(node)].wants
        if wants is None:
            return []
        given = self._item.prompt[node]["inputs"]
        asked = wants(**{name: values[0] for name, values in inputs.items()})
        return [name for name in asked if name not in inputs and is_link(given.get(name))]

    def _mapped(self, node: str, inputs: dict[str, list[Any]]) -> Outcome:
        definition = self._around.catalogue[self._class_type(node)]
        if NODES[self._class_type(node)].takes_lists:
            results = [self._call(node, dict(inputs))]
        else:
            length = max((len(values) for values in inputs.values()), default=1)
            results = [
                self._call(
                    node, {name: values[min(index, len(values) - 1)] for name, values in inputs.items()}
                )
                for index in range(length)
            ]
        return _gathered(results, [definition.gives_list(slot) for slot in range(16)])

    def _call(self, node: str, values: dict[str, Any]) -> Result:
        blocked = next((value for value in values.values() if isinstance(value, Blocked)), None)
        if blocked is not None:
            self._report_block(node, blocked)
            count = max(1, len(self._around.catalogue[self._class_type(node)].outputs))
            return (Blocked(),) * count
        run = _Run(self, self._around, self._item, self._progress, node, self._check)
        named = {name.replace(".", "__"): value for name, value in values.items()}
        return NODES[self._class_type(node)].run(run, **named)

    def _report_block(self, node: str, blocked: Blocked) -> None:
        if blocked.message is None:
            return
        self._tell_client(
            "execution_error",
            {
                **self._about(node),
                "exception_message": f"Execution Blocked: {blocked.message}",
                "exception_type": "ExecutionBlocked",
                "traceback": [],
                "current_inputs": [],
                "current_outputs": [],
            },
        )

    def _about(self, node: str) -> dict[str, Any]:
        return {"node_id": node, "node_type": self._class_type(node), "executed": list(self._executed)}

    def _failure(self, node: str, error: Exception) -> dict[str, Any]:
        memory = isinstance(error, OutOfMemory)
        return {
            **self._about(node),
            "exception_message": f"{error}" if memory else f"{error}\n",
            "exception_type": "torch.OutOfMemoryError" if memory else _type_name(error),
            "traceback": traceback.format_tb(error.__traceback__),
            "current_inputs": {
                name: [_shortened(value) for value in values] for name, values in self._inputs(node).items()
            },
            "current_outputs": list(self._item.prompt),
        }

    def _say(self, kind: str, data: dict[str, Any], *, broadcast: bool = False) -> None:
        told = {"prompt_id": self._item.prompt_id, **data, "timestamp": int(time.time() * 1000)}
        self._messages.append((kind, told))
        if self._hub.client_id is not None or broadcast:
            self._hub.send(kind, told, self._hub.client_id)

    def _tell_client(self, kind: str, data: dict[str, Any]) -> None:
        if self._hub.client_id is not None:
            self._hub.send(kind, {**data, "prompt_id": self._item.prompt_id}, self._hub.client_id)

    def _entry(self, completed: bool) -> dict[str, Any]:
        return {
            "outputs": {node: outcome.ui for node, outcome in self._shown.items()},
            "status": {
                "status_str": "success" if completed else "error",
                "completed": completed,
                "messages": [list(message) for message in self._messages],
            },
            "meta": {
                node: {"node_id": node, "display_node": node, "parent_node": None, "real_node_id": node}
                for node in self._shown
            },
        }


@dataclass
class _Run:
    """The `NodeRun` of one call."""

    execution: Execution
    around: Surroundings
    item: Item
    _progress: Progress
    node_id: str
    _check: Callable[[], None]

    @property
    def folders(self) -> Folders:
        return self.around.folders

    @property
    def generation(self) -> Generation:
        return self.around.generation

    @property
    def prompt(self) -> Mapping[str, Any]:
        return self.item.prompt

    @property
    def extra_pnginfo(self) -> Mapping[str, Any] | None:
        return self.item.extra_data.get("extra_pnginfo")

    def progress(
        self, value: int, total: int, preview: Image.Image | None = None, kind: str = "JPEG"
    ) -> None:
        self._check()
        self._progress.update(self.node_id, value, total, preview, kind)

    def show_text(self, text: str) -> None:
        self.around.hub.send_text(text, self.node_id)

    def temp_prefix(self) -> str:
        letters = random.choices("abcdefghijklmnopqrstupvxyz", k=5)  # noqa: S311 - a file name, no secret
        return self.around.temp_names.setdefault(self.node_id, "ComfyUI_temp_" + "".join(letters))

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.02))
            self.around.faults.hold_thread("worker", self.around.stopped.is_set)
            self._check()


def _gathered(results: list[Result], lists: list[bool]) -> Outcome:
    values: list[list[Any]] = []
    ui: dict[str, list[Any]] | None = None
    for result in results:
        outputs = result.outputs if isinstance(result, Shown) else result
        for slot, value in enumerate(outputs):
            if slot == len(values):
                values.append([])
            values[slot] += value if lists[slot] and isinstance(value, list) else [value]
        if isinstance(result, Shown):
            ui = result.ui if ui is None else _merged(ui, result.ui)
    return Outcome(tuple(values), ui)


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    keys = dict.fromkeys(itertools.chain(first, second))
    return {key: [*first.get(key, []), *second.get(key, [])] for key in keys}


def _type_name(error: Exception) -> str:
    kind = next(each for each in type(error).__mro__ if not each.__module__.startswith("rushes."))
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _shortened(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)[:500]
