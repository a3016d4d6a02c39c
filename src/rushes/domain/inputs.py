"""Check what somebody submits against a manifest: strictly typed, normalised, with defaults filled in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from rushes.domain.deriving import derive
from rushes.domain.errors import InvalidInput
from rushes.domain.fields import InputField
from rushes.domain.input_values import Fault, check_value
from rushes.domain.workflow_manifest import Manifest, graph_stem

Path = tuple[str | int, ...]


def validate_inputs(
    manifest: Manifest,
    raw: object,
    *,
    random_seed: Callable[[], int],
    graph_name: str | None = None,
) -> dict[str, Any]:
    """Typed and normalised inputs, every declared name present (None where left empty).

    File values must be resolved before. With `graph_name` that graph's own limits are checked too.
    Raises InvalidInput naming every faulty field.
    """
    if not isinstance(raw, Mapping):
        raise InvalidInput({"inputs": 'should be an object of inputs by name, such as {"prompt": "…"}'})
    check = _Check(random_seed, {})
    values = check.fields(manifest.inputs, raw, ())
    if check.faults:
        raise InvalidInput(check.faults)
    derive(manifest.derived, values, graph_stem(graph_name) if graph_name else None)
    return values


def file_fields(manifest: Manifest, raw: object) -> list[tuple[Path, InputField]]:
    """Where the given inputs hold files: a path such as ("speakers", 0, "audio"), and its field.

    What is not shaped as declared is left out: validation reports it.
    """
    return list(_files(manifest.inputs, raw, ()))


def at_path(values: Any, path: Path) -> Any:
    """The value at a path that `file_fields` gave."""
    for step in path:
        values = values[step]
    return values


def dotted(path: Path) -> str:
    """A path as errors and forms name it: "speakers.0.audio"."""
    return ".".join(map(str, path))


def _files(fields: Sequence[InputField], raw: object, path: Path) -> list[tuple[Path, InputField]]:
    found: list[tuple[Path, InputField]] = []
    if not isinstance(raw, Mapping):
        return found
    for field in fields:
        value, here = raw.get(field.name), (*path, field.name)
        if field.is_file and value is not None:
            found.append((here, field))
        elif field.kind == "image_list" and isinstance(value, list):
            found += [((*here, index), field) for index in range(len(value))]
        elif field.kind == "group" and isinstance(value, list):
            for index, item in enumerate(value):
                found += _files(field.fields, item, (*here, index))
    return found


@dataclass(slots=True)
class _Check:
    random_seed: Callable[[], int]
    faults: dict[str, str]

    def fields(self, fields: Sequence[InputField], raw: Mapping[str, Any], path: Path) -> dict[str, Any]:
        for name in raw:
            if all(field.name != name for field in fields):
                self.faults[dotted((*path, str(name)))] = _unknown(str(name), fields)
        return {field.name: self.field(field, raw.get(field.name), (*path, field.name)) for field in fields}

    def field(self, field: InputField, value: Any, path: Path) -> Any:
        if value is None or value == "":
            value = self.empty(field, value, path)
        if value is None:
            return [] if field.is_list else None
        if field.is_list:
            return self.items(field, value, path)
        return self.one(field, value, path)

    def empty(self, field: InputField, value: Any, path: Path) -> Any:
        if field.kind == "seed" and field.default is None:
            low, high = int(field.range[0]), min(int(field.range[1]), 2**53 - 1)
            return low + self.random_seed() % max(1, high - low + 1)
        if value == "" and field.kind in {"string", "text"} and not field.required:
            return ""
        if field.default is not None and not (value == "" and field.kind in {"string", "text"}):
            return field.default
        if field.required:
            self.faults[dotted(path)] = f"is required: {_what(field)}"
        return None

    def items(self, field: InputField, value: Any, path: Path) -> list[Any]:
        if not isinstance(value, list):
            self.faults[dotted(path)] = f"should be a list of {field.min_items} to {field.max_items} items"
            return []
        if not (field.min_items if field.required else 0) <= len(value) <= field.max_items:
            self.faults[dotted(path)] = f"has {len(value)} items; give {field.min_items} to {field.max_items}"
            return []
        return [self.item(field, item, (*path, index)) for index, item in enumerate(value)]

    def item(self, field: InputField, value: Any, path: Path) -> Any:
        if field.kind == "image_list":
            return self.one(field, value, path)
        if isinstance(value, Mapping):
            return self.fields(field.fields, value, path)
        names = ", ".join(inner.name for inner in field.fields)
        self.faults[dotted(path)] = f"should be an object with {names}"
        return None

    def one(self, field: InputField, value: Any, path: Path) -> Any:
        try:
            return check_value(field, value)
        except Fault as fault:
            self.faults[dotted(path)] = str(fault)
            return None


def _unknown(name: str, fields: Sequence[InputField]) -> str:
    names = [field.name for field in fields]
    near = get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"the inputs are {', '.join(names) or 'none'}"
    return f"is not an input of this workflow; {hint}"


def _what(field: InputField) -> str:
    if field.kind == "image_list":
        return "upload images"
    if field.is_file:
        return f"upload {'an' if field.kind[0] in 'aeiou' else 'a'} {field.kind}"
    return "give " + (field.title[0].lower() + field.title[1:])
