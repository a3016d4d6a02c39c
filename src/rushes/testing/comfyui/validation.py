"""What POST /prompt says about a graph before it is queued, in ComfyUI's own words."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rushes.testing.comfyui.definitions import Catalogue, Definition, Input, accepts
from rushes.testing.comfyui.folders import Folders
from rushes.testing.comfyui.generation import Generation
from rushes.testing.comfyui.nodes import NODES

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
            named = "class_type" in given
            class_type = given["class_type"] if named else None
            if self.catalogue.get(class_type) is None:
                return self._missing(name, given, class_type, named)
        return None

    def _missing(self, name: str, given: Mapping[str, Any], class_type: Any, named: bool) -> dict[str, Any]:
        details = f"Node ID '#{name}'"
        if not self.generation.names_missing_nodes:
            text = (
                f"node {class_type} does not exist."
                if named
                else "a node is missing the class_type property."
            )
            return problem("invalid_prompt", f"Cannot execute because {text}", details)
        title = given.get("_meta", {}).get("title", class_type)
        trouble = (
            "not found. The custom node may not be installed."
            if named
            else "has no class_type. The workflow may be corrupted or a custom node is missing."
        )
        extra = {"node_id": name, "class_type": class_type, "node_title": title}
        return problem("missing_node_type", f"Node '{title}' {trouble}", details, extra)

    def _check_output(self, output: str) -> bool:
        try:
            for name in self._children_first(output):
                self._check_once(name)
        except _Cycle as cycle:
            self._report_cycle(cycle.names)
            return False
        if output in self._raised:
            self._errors[output] = [_raised("exception_during_validation", self._raised[output])]
        return self._is_good(output)

    def _is_good(self, name: str) -> bool:
        return name in self._errors and not self._errors[name] and name not in self._spoiled

    def _children_first(self, output: str) -> Iterator[str]:
        path: list[str] = []
        steps: list[tuple[str, Iterator[str]]] = []
        done: set[str] = set()

        def enter(name: str) -> None:
            path.append(name)
            steps.append((name, iter(self._links(name))))

        enter(output)
        while steps:
            name, links = steps[-1]
            child = next((link for link in links if link not in done and link in self.prompt), None)
            if child is None:
                steps.pop()
                path.pop()
                done.add(name)
                yield name
            elif child in path:
                raise _Cycle(path[path.index(child) :])
            else:
                enter(child)

    def _links(self, name: str) -> list[str]:
        given = self.prompt[name].get("inputs", {})
        values = given.values() if isinstance(given, dict) else ()
        return [value[0] for value in values if is_link(value) and isinstance(value[0], str)]

    def _check_once(self, name: str) -> None:
        if name in self._errors or name in self._raised:
            return
        try:
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
                    yield _missing_input(one.name)
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
                _raised("exception_during_inner_validation", self._raised[source], inner=extra)
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
            yield from _check_range(one, value, where | {"received_value": value})

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


class _Cycle(Exception):
    def __init__(self, names: list[str]) -> None:
        self.names = names


def is_link(value: Any) -> bool:
    """Whether an input's value is a link to another node's output."""
    return isinstance(value, list) and len(value) == 2


def problem(
    kind: str, message: str, details: str = "", extra: dict[str, Any] | None = None
) -> dict[str, Any]:
    """ComfyUI's shape of an error."""
    return {"type": kind, "message": message, "details": details, "extra_info": extra or {}}


def _missing_input(name: str) -> dict[str, Any]:
    last = name.rpartition(".")[2]
    return problem("required_input_missing", "Required input is missing", last, {"input_name": name})


def _raised(kind: str, error: Exception, inner: dict[str, Any] | None = None) -> dict[str, Any]:
    message = "Exception when validating inner node" if inner else "Exception when validating node"
    extra = {"exception_type": type(error).__name__, "traceback": traceback.format_tb(error.__traceback__)}
    if inner is not None:
        extra = inner | {"exception_message": str(error)} | extra
    return problem(kind, message, str(error), extra)


def _slot(index: Any, validation: Validation, source: str) -> int:
    outputs = validation.catalogue[validation.prompt[source]["class_type"]].outputs
    if not -len(outputs) <= index < len(outputs):
        raise IndexError("tuple index out of range")
    return int(index)


def _check_range(one: Input, value: Any, where: dict[str, Any]) -> Iterator[dict[str, Any]]:
    low, high = one.extra.get("min"), one.extra.get("max")
    if low is not None and value < low:
        yield problem("value_smaller_than_min", f"Value {value} smaller than min of {low}", one.name, where)
    elif high is not None and value > high:
        yield problem("value_bigger_than_max", f"Value {value} bigger than max of {high}", one.name, where)
    elif one.choices is not None and value not in one.choices:
        long = len(one.choices) > 20
        listing = f"(list of length {len(one.choices)})" if long else str(one.choices)
        extra = where | ({"input_config": None} if long else {})
        yield problem(
            "value_not_in_list", "Value not in list", f"{one.name}: '{value}' not in {listing}", extra
        )


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


def _exists(path: Any) -> bool:
    try:
        return bool(path.exists())
    except (OSError, ValueError):
        return False
