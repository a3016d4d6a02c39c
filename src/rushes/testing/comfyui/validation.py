"""What POST /prompt says about a graph before it is queued, in ComfyUI's own words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rushes.testing.comfyui.definitions import Catalogue, Definition, Input, accepts
from rushes.testing.comfyui.folders import Folders
from rushes.testing.comfyui.generation import Generation
from rushes.testing.comfyui.graph import Cycle, children_first
from rushes.testing.comfyui.nodes import NODES
from rushes.testing.comfyui.problems import missing_input, out_of_range, problem, raised, unknown_class

_DEEPEST = 2000
"""Links one behind the other; the real server's recursion ends about here."""


@dataclass(frozen=True)
class Verdict:
    """Which outputs may run, and why others may not; `error` is None when the prompt is accepted."""

    outputs: list[str]
    node_errors: dict[str, Any]
    error: dict[str, Any] | None = None


@dataclass
class Validation:
    """Checks one prompt; converts its values in place as ComfyUI does ("64" → 64)."""

    prompt: dict[str, Any]
    catalogue: Catalogue
    generation: Generation
    folders: Folders
    _errors: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _raised: dict[str, Exception] = field(default_factory=dict)
    _spoiled: set[str] = field(default_factory=set)
    """Nodes without errors of their own that stand behind a faulty one."""

    def verdict(self, targets: list[str] | None) -> Verdict:
        """Check every output node, or those among the targets; raises where the real server answers 500."""
        unknown = self._unknown_class()
        if unknown is not None:
            return Verdict([], {}, unknown)
        outputs = [
            name
            for name, given in self.prompt.items()
            if self.catalogue[given["class_type"]].is_output_node and (targets is None or name in targets)
        ]
        if not outputs:
            return Verdict([], {}, problem("prompt_no_outputs", "Prompt has no outputs"))
        return self._judge(outputs)

    def _judge(self, outputs: list[str]) -> Verdict:
        good: list[str] = []
        details: list[str] = []
        node_errors: dict[str, Any] = {}
        for output in outputs:
            if self._check_output(output):
                good.append(output)
                continue
            details += [f"{error['message']}: {error['details']}" for error in self._errors.get(output, [])]
            self._blame(output, node_errors)
        if good:
            return Verdict(good, node_errors)
        message = "Prompt outputs failed validation"
        return Verdict(
            [], node_errors, problem("prompt_outputs_failed_validation", message, "\n".join(details))
        )

    def _blame(self, output: str, node_errors: dict[str, Any]) -> None:
        for name, errors in self._errors.items():
            if errors:
                entry = node_errors.setdefault(
                    name,
                    {
                        "errors": errors,
                        "dependent_outputs": [],
                        "class_type": self.prompt[name]["class_type"],
                    },
                )
                entry["dependent_outputs"].append(output)

    def _unknown_class(self) -> dict[str, Any] | None:
        for name, given in self.prompt.items():
            if "class_type" not in given or self.catalogue.get(given["class_type"]) is None:
                return unknown_class(name, given, tells_name=self.generation.names_missing_nodes)
        return None

    def _check_output(self, output: str) -> bool:
        try:
            for name, deep in children_first(self.prompt, output, _DEEPEST):
                self._check_once(name, deep)
        except Cycle as cycle:
            self._report_cycle(cycle.names)
            return False
        if output in self._raised:
            self._errors[output] = [raised("exception_during_validation", self._raised[output])]
        return self._is_good(output)

    def _is_good(self, name: str) -> bool:
        return name in self._errors and not self._errors[name] and name not in self._spoiled

    def _check_once(self, name: str, deep: bool) -> None:
        if name in self._errors or name in self._raised:
            return
        try:
            if deep:
                raise RecursionError("maximum recursion depth exceeded")
            self._errors[name] = list(self._check_inputs(name))
        except Exception as error:  # any exception is an answer of this server, as in the real one
            self._raised[name] = error

    def _check_inputs(self, name: str) -> Iterator[dict[str, Any]]:
        given = self.prompt[name]["inputs"]
        definition = self.catalogue[self.prompt[name]["class_type"]]
        file_input = NODES[definition.class_type].file_input
        for one in definition.inputs(given).values():
            if one.name not in given:
                if one.required and not one.is_dynamic:
                    yield missing_input(one.name)
            elif isinstance(given[one.name], list):
                yield from self._check_link(name, one, given[one.name])
            else:
                yield from self._check_value(given, one, skip_range=one.name == file_input)
        yield from self._check_file(definition, given)

    def _check_link(self, name: str, one: Input, link: list[Any]) -> Iterator[dict[str, Any]]:
        where = {"input_name": one.name, "input_config": one.config}
        if len(link) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            yield problem("bad_linked_input", message, one.name, where | {"received_value": link})
            return
        source = link[0]
        received = self.catalogue[self.prompt[source]["class_type"]].outputs[_slot(link[1], self, source)]
        if not accepts(received, one.kind):
            details = f"{one.name}, received_type({received}) mismatch input_type({one.kind})"
            extra = where | {"received_type": received, "linked_node": link}
            yield problem("return_type_mismatch", "Return type mismatch between linked nodes", details, extra)
            return
        if source in self._raised and source not in self._errors:
            extra = where | {"linked_node": link}
            self._errors[source] = [
                raised("exception_during_inner_validation", self._raised[source], inner=extra)
            ]
        if not self._is_good(source):
            self._spoiled.add(name)

    def _check_value(
        self, given: dict[str, Any], one: Input, *, skip_range: bool
    ) -> Iterator[dict[str, Any]]:
        value = given[one.name]
        if isinstance(value, dict) and "__value__" in value:
            value = given[one.name] = value["__value__"]
        where = {"input_name": one.name, "input_config": one.config, "received_value": value}
        convert = _CONVERSIONS.get(one.kind) if isinstance(one.kind, str) else None
        if convert is not None:
            try:
                value = given[one.name] = convert(value)
            except Exception as error:  # the conversion's own words are the answer
                message = f"Failed to convert an input value to a {one.kind} value"
                extra = where | {"exception_message": str(error)}
                yield problem("invalid_input_type", message, f"{one.name}, {value}, {error}", extra)
                return
        lenient = one.kind == "COMBO" and not self.generation.newer_nodes
        if not skip_range and not lenient:
            yield from out_of_range(one, value, where | {"received_value": value})

    def _check_file(self, definition: Definition, given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        node = NODES[definition.class_type]
        name = given.get(node.file_input) if node.file_input else None
        if not isinstance(name, str) or node.file_input is None:
            return
        path = self.folders.annotated(
            name, "output" if definition.class_type == "LoadImageOutput" else "input"
        )
        outside = self.generation.refuses_foreign_inputs and not self.folders.holds(path)
        if outside or not _exists(path):
            details = f"{node.file_input} - Invalid {node.file_word} file: {name}"
            extra = {"input_name": node.file_input}
            yield problem("custom_validation_failed", "Custom validation failed for node", details, extra)

    def _report_cycle(self, names: list[str]) -> None:
        if not self.generation.reports_cycles:
            return
        walk = " -> ".join(f"{name} ({self.prompt[name]['class_type']})" for name in [*names, names[0]])
        for name in names:
            extra = {"node_id": name, "cycle_nodes": names}
            self._errors[name] = [problem("dependency_cycle", "Dependency cycle detected", walk, extra)]


def _slot(index: Any, validation: Validation, source: str) -> int:
    outputs = validation.catalogue[validation.prompt[source]["class_type"]].outputs
    if not -len(outputs) <= index < len(outputs):
        raise IndexError("tuple index out of range")
    return int(index)


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


def _exists(path: Any) -> bool:
    try:
        return bool(path.exists())
    except (OSError, ValueError):
        return False
