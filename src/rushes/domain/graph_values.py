"""Small moves on a parsed graph: set a value, take a node away, point links elsewhere."""

from collections.abc import Callable, Collection, MutableMapping
from typing import Any

from rushes.domain.fields import Target
from rushes.domain.workflow_rules import is_link

Node = dict[str, Any]


def put(node: Node, target: Target, value: Any) -> None:
    """Set the target's input of this node; an empty value does what the target says."""
    if value is None:
        value = target.empty_value
    if value is None and target.if_empty == "keep":
        return
    holder: Any = node["inputs"]
    for step in target.path[:-1]:
        holder = holder[step]
    if value is not None:
        holder[target.path[-1]] = value
    elif isinstance(holder, dict):
        holder.pop(target.path[-1], None)


def drop_nodes(graph: MutableMapping[str, Node], gone: Collection[str]) -> None:
    """Take nodes away, and every input that was linked to one of them."""
    for node_id in gone:
        graph.pop(node_id, None)
    for node in graph.values() if gone else ():
        node["inputs"] = {
            name: value for name, value in node["inputs"].items() if not (is_link(value) and value[0] in gone)
        }


def relink(node: Node, change: Callable[[list[Any]], list[Any]]) -> None:
    """Replace every link among this node's inputs by what `change` makes of it."""
    node["inputs"] = {
        name: change(value) if is_link(value) else value for name, value in node["inputs"].items()
    }
