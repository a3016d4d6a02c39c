"""Repeat a part of a graph for every item of a list: copies, joins and what one copy feeds to the next."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from rushes.domain.fields import Target
from rushes.domain.graph_values import Node, drop_nodes, put, relink
from rushes.domain.workflow_manifest import Fragment, Join

ItemValue = tuple[Target, Any]
Link = list[Any]


def copy_id(node_id: str, number: int) -> str:
    """The id of a node's copy for item `number` (from 1): the first keeps the template's."""
    return node_id if number == 1 else f"{node_id}_{number}"


def expand(
    graph: Mapping[str, Node], fragment: Fragment, items: Sequence[Sequence[ItemValue]]
) -> dict[str, Node]:
    """A new graph with the fragment once for each item.

    Links inside the fragment stay within an item; links from outside get the last item, or what joins made.
    """
    inner = {*fragment.nodes, *(join.node for join in fragment.join)}
    outside = {node_id: node for node_id, node in graph.items() if node_id not in inner}
    if not items:
        drop_nodes(outside, inner)
        return outside
    work = _Expansion(fragment, {node_id: graph[node_id] for node_id in inner})
    for number, values in enumerate(items, start=1):
        work.add(number, values)
    for node in outside.values():
        relink(node, work.seen_from_outside)
    for collect in fragment.collect:
        for index in range(len(items)):
            name = collect.input.replace("#", str(collect.first + index))
            outside[collect.node]["inputs"][name] = [copy_id(collect.source, index + 1), collect.slot]
    return outside | work.made


@dataclass(slots=True)
class _Expansion:
    fragment: Fragment
    templates: Mapping[str, Node]
    made: dict[str, Node] = field(default_factory=dict)
    joined: dict[str, Link] = field(default_factory=dict)
    last: int = 0

    def add(self, number: int, values: Sequence[ItemValue]) -> None:
        copies = {node_id: self._copy(node_id, number) for node_id in self.fragment.nodes}
        for feed in self.fragment.feed if number > 1 else ():
            copies[feed.node]["inputs"][feed.input] = self._before(feed.source, feed.slot)
        joins = {join.node: self._join(join, number) for join in self.fragment.join}
        gone: set[str] = set()
        for target, value in values:
            node = copies.get(target.node) or joins.get(target.node)
            if node is not None:
                put(node, target, value)
            gone |= {copy_id(one, number) for one in target.drop} if value is None else set()
        self.made |= {copy_id(node_id, number): node for node_id, node in copies.items()}
        self.made |= {copy_id(node_id, number): node for node_id, node in joins.items() if node is not None}
        drop_nodes(self.made, gone)
        self.last = number

    def seen_from_outside(self, link: Link) -> Link:
        node_id, slot = link
        if node_id in self.joined:
            return list(self.joined[node_id]) if slot == 0 else [self.joined[node_id][0], slot]
        return self._within(link, self.last)

    def _copy(self, node_id: str, number: int) -> Node:
        node = deepcopy(self.templates[node_id])
        relink(node, lambda link: self._within(link, number))
        return node

    def _within(self, link: Link, number: int) -> Link:
        return [copy_id(link[0], number), link[1]] if link[0] in self.fragment.nodes else link

    def _join(self, join: Join, number: int) -> Node | None:
        """The node that adds this item; the first item is simply the beginning."""
        node = self._copy(join.node, number)
        if number == 1:
            self.joined[join.node] = node["inputs"][join.item]
            return None
        node["inputs"][join.input] = self.joined[join.node]
        self.joined[join.node] = [copy_id(join.node, number), 0]
        return node

    def _before(self, source: str, slot: int) -> Link:
        return list(self.joined[source]) if source in self.joined else [copy_id(source, self.last), slot]
