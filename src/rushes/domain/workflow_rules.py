"""Rules that hold between the parts of a manifest and its graphs, without knowing any node."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rushes.domain.derived import (
    Case,
    Clock,
    Count,
    Derived,
    Divide,
    Frames,
    Length,
    Loops,
    Split,
    Switch,
    Text,
)
from rushes.domain.fields import GRAPHS, Bound, InputField, Target
from rushes.domain.input_values import Fault, check_value
from rushes.domain.workflow_manifest import Fragment, Manifest

Graphs = Mapping[str, Mapping[str, Any]]

_COPY = re.compile(r"^(.+)_\d+$")


def manifest_problems(manifest: Manifest, graphs: Graphs) -> list[str]:
    """What can't work in this manifest with these graphs; empty if nothing is wrong."""
    found = [*_repeated(manifest), *_defaults(manifest.inputs), *_sources(manifest)]
    for graph in GRAPHS:
        nodes = graphs.get(f"{graph}.json")
        if nodes is None:
            found += [
                f"{one.name} is bound in {graph}.json only, and that is missing"
                for one in _only_in(manifest, graph)
            ]
        else:
            found += [f"{graph}.json: {text}" for text in _graph_problems(manifest, graph, nodes)]
    return found


def _only_in(manifest: Manifest, graph: str) -> list[Bound]:
    return [one for one in _bound(manifest) if list(one.bind) == [graph]]


def is_link(value: object) -> bool:
    """True for a link to another node's output: ["12", 0]."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int


def _graph_problems(manifest: Manifest, graph: str, nodes: Mapping[str, Any]) -> Iterator[str]:
    fragments = manifest.fragments_of(graph)
    for one in _bound(manifest):
        for target in one.targets(graph):
            yield from _target_problems(one.name, target, nodes)
    yield from _list_targets(manifest, graph, fragments)
    for output in manifest.outputs:
        node = output.node_in(graph)
        if node is None:
            yield f"output {output.name} names no node in it"
        elif node not in nodes:
            yield f"output {output.name} names node {node}, which is not there"
    for fragment in fragments:
        yield from _fragment_problems(manifest, fragment, nodes)
    if fragments:
        mistakable = [node for node in nodes if _mistakable(node, nodes)]
        yield from (f"node id {node} could be mistaken for a copy; rename it" for node in mistakable)


def _mistakable(node: str, nodes: Mapping[str, Any]) -> bool:
    match = _COPY.match(node)
    return bool(match) and match[1] in nodes if match else False


def _target_problems(name: str, target: Target, nodes: Mapping[str, Any]) -> Iterator[str]:
    if target.node not in nodes:
        yield f"{name} is bound to node {target.node}, which is not there"
        return
    value: Any = nodes[target.node]["inputs"]
    for step in target.path[:-1]:
        value = _step(value, step)
    if not isinstance(value, (dict, list)):
        yield f"{name} is bound to {target.node}.{target.path}, but there is nothing to put it in"
    elif is_link(_step(value, target.path[-1])):
        where = f"{target.node}.{target.path[-1]}"
        yield f"{name} is bound to {where}, which is a link to another node; bind a value"
    yield from (f"{name} drops node {node}, which is not there" for node in target.drop if node not in nodes)


def _step(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _list_targets(manifest: Manifest, graph: str, fragments: Iterable[Fragment]) -> Iterator[str]:
    inside = {fragment.over: set(fragment.nodes) for fragment in fragments}
    joined = {fragment.over: {join.node for join in fragment.join} for fragment in fragments}
    per_item: list[tuple[str, Bound]] = []
    for field in manifest.inputs:
        if field.kind == "image_list":
            per_item.append((field.name, field))
        per_item += [(field.name, inner) for inner in field.fields]
    per_item += [(one.each, one) for one in manifest.derived if one.each is not None]
    for over, one in per_item:
        for target in one.targets(graph):
            if target.node not in inside.get(over, set()) | joined.get(over, set()):
                yield f"{one.name} belongs to items of {over}; node {target.node} is in no fragment over it"


def _fragment_problems(manifest: Manifest, fragment: Fragment, nodes: Mapping[str, Any]) -> Iterator[str]:
    what = f"fragment over {fragment.over}"
    field = manifest.input(fragment.over)
    derived = {one.name for one in manifest.derived if one.each is None}
    if not (field.is_list if field else fragment.over in derived):
        yield f"{what}: there is no list input and no derived value of that name"
    named = [*fragment.nodes, *(join.node for join in fragment.join), *(feed.node for feed in fragment.feed)]
    yield from (f"{what}: node {node} is not there" for node in named if node not in nodes)
    for join in fragment.join:
        if join.node in fragment.nodes:
            yield f"{what}: node {join.node} joins items, so it can't be one of its nodes"
        elif join.node in nodes and not is_link(nodes[join.node]["inputs"].get(join.item)):
            yield f"{what}: {join.node}.{join.item} should be a link to an item's node"
    for collect in fragment.collect:
        if collect.node in fragment.nodes or collect.node not in nodes:
            yield f"{what}: collect goes to node {collect.node}, which should be one outside the fragment"
        if collect.source not in fragment.nodes:
            yield f"{what}: collect comes from node {collect.source}, which is not one of its nodes"
    joins = {join.node for join in fragment.join}
    for feed in fragment.feed:
        if feed.node not in fragment.nodes:
            yield f"{what}: feed goes to node {feed.node}, which is not one of its nodes"
        if feed.source not in {*fragment.nodes, *joins}:
            yield f"{what}: feed comes from node {feed.source}, which is not one of its nodes"


def _bound(manifest: Manifest) -> Iterator[Bound]:
    for field in manifest.inputs:
        yield field
        yield from field.fields
    yield from manifest.derived


def _repeated(manifest: Manifest) -> Iterator[str]:
    names = [field.name for field in manifest.inputs] + [one.name for one in manifest.derived]
    groups = [names, [one.name for one in manifest.outputs], [one.file_stem for one in manifest.outputs]]
    groups += [[inner.name for inner in field.fields] for field in manifest.inputs]
    for group in groups:
        twice = [name for name, times in Counter(group).items() if times > 1]
        yield from (f"the name {name} is used more than once" for name in twice)


def _defaults(fields: Iterable[InputField]) -> Iterator[str]:
    for field in fields:
        if field.default is not None:
            try:
                check_value(field, field.default)
            except Fault as fault:
                yield f"the default of {field.name} {fault}"
        yield from _defaults(field.fields)


def _sources(manifest: Manifest) -> Iterator[str]:
    known = {field.name: field for field in manifest.inputs}
    inner = {f"{field.name}.{one.name}" for field in manifest.inputs for one in field.fields}
    names = {*known, *inner}
    for one in manifest.derived:
        if isinstance(one, Split) and one.each not in names - set(known):
            yield f"{one.name}: each = {one.each!r}, which is no value derived before it"
        elif not isinstance(one, Split) and one.each and not (one.each in known and known[one.each].is_list):
            yield f"{one.name}: each = {one.each!r}, which is no list input"
        yield from (
            f"{one.name} needs {source!r}, which is no input and not derived before it"
            for source in read_by(one)
            if source not in names
        )
        names.add(one.name)


def read_by(one: Derived) -> list[str]:
    """The names that a derived value is worked out from."""
    match one:
        case Length():
            return [name for name in (one.of, one.start, one.end) if name]
        case Frames() | Clock():
            return [one.seconds]
        case Split():
            return [one.value]
        case Divide():
            return [one.value, *([one.by] if isinstance(one.by, str) else [])]
        case Loops():
            return [one.of, one.frames]
        case Count():
            return [one.of]
        case Switch():
            cases = [case.source for case in (*one.cases.values(), one.otherwise) if isinstance(case, Case)]
            return [one.on, *(source for source in cases if source)]
        case Text():
            parts = [part for part in one.parts if not isinstance(part, str)]
            return [name for part in parts for name in (part.source, part.when) if name]
