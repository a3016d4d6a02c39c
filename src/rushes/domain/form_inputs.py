"""Inputs that come as text and files by name (a form, a command line), put into the shape of JSON."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from rushes.domain.errors import InvalidInput
from rushes.domain.fields import InputField
from rushes.domain.input_values import coerce_text
from rushes.domain.workflow_manifest import Manifest

MAX_STEPS = 4


def read_text(manifest: Manifest, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The inputs that were given as text, typed. Raises InvalidInput naming every faulty one."""
    inputs: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name, text in pairs:
        field = field_at(manifest, name)
        try:
            # validation names it where it is unknown
            place(manifest, inputs, name, coerce_text(field, text) if field else text)
        except InvalidInput as error:
            faults[name[:100]] = next(iter(error.details["fields"].values()))
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
    """Put a value where its dotted name says; a repeated name of a list adds an item. Raises InvalidInput."""
    first, *rest = steps = name.split(".")
    if len(steps) > MAX_STEPS or not all(steps):
        raise InvalidInput({name[:100]: "is no input's name; write one such as prompt or speakers.0.audio"})
    if rest:
        _place_inside(inputs, steps, value, name)
        return
    field = manifest.input(first)
    if field is not None and field.kind == "image_list" and not isinstance(value, list):
        listed = inputs.setdefault(name, [])
        if not isinstance(listed, list):
            raise InvalidInput({name: "is given as a text and as files; give the files alone"})
        listed.append(value)
    else:
        inputs[name] = value


def _place_inside(inputs: dict[str, Any], steps: list[str], value: Any, name: str) -> None:
    here: Any = inputs
    for step, following in pairwise(steps):
        key = _key(here, step, name)
        if isinstance(here, dict):
            here.setdefault(key, [] if following.isdecimal() else {})
        here = here[key]
    here[_key(here, steps[-1], name)] = value


def _key(here: Any, step: str, name: str) -> int | str:
    """The key of a step; a list grows to hold it."""
    if isinstance(here, dict):
        return step
    if not isinstance(here, list):
        raise InvalidInput({name: "stands inside of an input that is no list"})
    if not step.isdecimal() or len(step) > 3:
        raise InvalidInput({name: "has no such place; number the items from 0"})
    number = int(step)
    here.extend({} for _ in range(number + 1 - len(here)))
    return number
