"""Running one prompt: node after node, with ComfyUI's events, errors and history entry."""

from collections.abc import Mapping
from typing import Any

from rushes.testing.comfyui.cache import Signatures
from rushes.testing.comfyui.failures import Interrupted, failure_report
from rushes.testing.comfyui.graph import is_link
from rushes.testing.comfyui.nodes import NODES
from rushes.testing.comfyui.nodes.registry import Blocked, Result
from rushes.testing.comfyui.outcomes import Outcome, gathered
from rushes.testing.comfyui.plan import Plan
from rushes.testing.comfyui.progress import Progress
from rushes.testing.comfyui.queue import Item
from rushes.testing.comfyui.surroundings import Run, Surroundings
from rushes.testing.comfyui.transcript import Transcript


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
        self._transcript = Transcript(item.prompt_id, around.hub)
        self._plan = Plan(item.prompt, around.catalogue, lambda node: self._known(node) is not None)

    def run(self) -> dict[str, Any]:
        """Execute and return the history entry's outputs, status and meta."""
        self._around.interrupt.clear()
        client = self._item.extra_data.get("client_id")
        self._hub.client_id = str(client) if client is not None else None
        self._around.results.start(self._signatures)
        self._transcript.say("execution_start", {})
        cached = [node for node in self._item.prompt if self._known(node) is not None]
        self._transcript.say("execution_cached", {"nodes": cached})
        completed = self._run_nodes()
        if completed:
            self._transcript.say("execution_success", {})
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
            self._transcript.say("execution_interrupted", self._about(node), broadcast=True)
            return False
        except Exception as error:  # whatever a node raises becomes its execution_error
            report = failure_report(error, self._inputs(node), list(self._item.prompt))
            self._transcript.say("execution_error", {**self._about(node), **report})
            return False
        return True

    def _step(self, node: str) -> None:
        known = self._known(node)
        if known is not None:
            self._show_cached(node, known)
        else:
            self._progress.start(node)
            self._transcript.tell("executing", {"node": node, "display_node": node})
            self._hub.last_node = node if self._hub.client_id is not None else None
            if not self._run_node(node):
                return
            self._progress.finish(node)
            self._executed.append(node)
        self._plan.finish(node)

    def _known(self, node: str) -> Outcome | None:
        return self._outcomes.get(node) or self._around.results.get(self._signatures.get(node))

    def _show_cached(self, node: str, outcome: Outcome) -> None:
        self._transcript.tell("executed", {"node": node, "display_node": node, "output": outcome.ui})
        if outcome.ui is not None:
            self._shown[node] = outcome
        self._progress.finish(node)

    def _run_node(self, node: str) -> bool:
        """Run it; False when it first wants inputs that were left out."""
        self._around.check()
        self._around.misbehave(self._class_type(node))
        inputs = self._inputs(node)
        wanted = self._still_wanted(node, inputs)
        if wanted:
            for name in wanted:
                self._plan.need(node, name)
            return False
        outcome = self._mapped(node, inputs)
        if outcome.ui is not None:
            self._shown[node] = outcome
            self._transcript.tell("executed", {"node": node, "display_node": node, "output": outcome.ui})
        self._outcomes[node] = outcome
        self._around.results.put(self._signatures.get(node), outcome)
        return True

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
        return gathered(results, definition.gives_list)

    def _call(self, node: str, values: dict[str, Any]) -> Result:
        blocked = next((value for value in values.values() if isinstance(value, Blocked)), None)
        if blocked is not None:
            self._report_block(node, blocked)
            count = max(1, len(self._around.catalogue[self._class_type(node)].outputs))
            return (Blocked(),) * count
        run = Run(self._around, self._item, self._progress, node)
        named = {name.replace(".", "__"): value for name, value in values.items()}
        return NODES[self._class_type(node)].run(run, **named)

    def _report_block(self, node: str, blocked: Blocked) -> None:
        if blocked.message is None:
            return
        self._transcript.tell(
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

    def _entry(self, completed: bool) -> dict[str, Any]:
        return {
            "outputs": {node: outcome.ui for node, outcome in self._shown.items()},
            "status": self._transcript.status(completed),
            "meta": {
                node: {"node_id": node, "display_node": node, "parent_node": None, "real_node_id": node}
                for node in self._shown
            },
        }
