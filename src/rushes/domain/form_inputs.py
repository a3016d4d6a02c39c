"""Inputs that come as text and files by name (a form, a command line), put into the shape of JSON."""

from collections.abc import Iterable
from typing import Any

from rushes.domain.errors import InvalidInput
from rushes.domain.fields import InputField
from rushes.domain.input_values import coerce_text
from rushes.domain.workflow_manifest import Manifest


def read_text(manifest: Manifest, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The inputs that were given as text, typed. Raises InvalidInput naming every faulty one."""
    inputs: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name, text in pairs:
        field = field_at(manifest, name)
        if field is None:
            place(manifest, inputs, name, text)  # validation names it as unknown
            continue
        try:
            place(manifest, inputs, name, coerce_text(field, text))
        except InvalidInput as error:
            faults[name] = next(iter(error.details["fields"].values()))
        except ValueError as error:
            faults[name] = str(error)
    if faults:
        raise InvalidInput(faults)
    return inputs


def field_at(manifest: Manifest, name: str) -> InputField | None:
    """The field behind a dotted name: `prompt`, `images`, `speakers.0.audio`."""
    first, *rest = name.split(".")
    field = manifest.input(first)
    inner = [step for step in rest if not step.isdecimal()]
    if field is None or not inner:
        return field
    return next((one for one in field.fields if one.name == inner[-1]), None)


def place(manifest: Manifest, inputs: dict[str, Any], name: str, value: Any) -> None:
    """Put a value where its dotted name says; a repeated name of a list adds an item."""
    steps = name.split(".")
    field = manifest.input(steps[0])
    if len(steps) == 1:
        if field is not None and field.kind == "image_list" and not isinstance(value, list):
            inputs.setdefault(name, []).append(value)
        else:
            inputs[name] = value
        return
    _place_inside(inputs, steps, value, name)


def _place_inside(inputs: dict[str, Any], steps: list[str], value: Any, name: str) -> None:
    here: Any = inputs
    for step, following in zip(steps, [*steps[1:], ""], strict=True):
        key = int(step) if step.isdecimal() and isinstance(here, list) else step
        if isinstance(here, list):
            if not isinstance(key, int) or key > 999:
                raise InvalidInput({name: "has no such place; number the items from 0"})
            here.extend({} for _ in range(key + 1 - len(here)))
        elif not isinstance(here, dict):
            raise InvalidInput({name: "stands inside of an input that is no list"})
        if not following:
            here[key] = value
            return
        if isinstance(here, dict):
            here.setdefault(key, [] if following.isdecimal() else {})
        here = here[key]
