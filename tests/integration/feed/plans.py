"""What the planner says it would do."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg import ClientCursor

Node = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A plan as a tree of nodes."""

    root: Node

    def nodes(self) -> Iterator[Node]:
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.get("Plans", [])

    @property
    def cost(self) -> float:
        return float(self.root["Total Cost"])

    @property
    def indexes(self) -> set[str]:
        return {str(node["Index Name"]) for node in self.nodes() if "Index Name" in node}

    @property
    def read_whole(self) -> set[str]:
        """Tables of ours that are read from end to end."""
        return {str(node["Relation Name"]) for node in self.nodes() if node["Node Type"] == "Seq Scan"}

    def sorted_rows(self) -> float:
        """The most rows that any step sorts."""
        sorts = [
            node["Plan Rows"] for node in self.nodes() if node["Node Type"] in ("Sort", "Incremental Sort")
        ]
        return float(max(sorts, default=0))


def explain(connection: psycopg.Connection, statement: str, params: Mapping[str, Any]) -> Plan:
    """The plan with the parameters written into the statement, as a custom plan has them."""
    with ClientCursor(connection) as cursor:
        cursor.execute(cast(Any, f"EXPLAIN (FORMAT JSON) {statement}"), params)
        row = cursor.fetchone()
    assert row
    told = json.loads(row[0]) if isinstance(row[0], str) else row[0]
    return Plan(told[0]["Plan"])


def feed_statement(connection: psycopg.Connection, branch: str) -> str:
    """The statement that rushes.feed_rows runs for `admin`, `everyone` or `mine`, from its own source."""
    row = connection.execute("SELECT prosrc FROM pg_proc WHERE proname = 'feed_rows'").fetchone()
    assert row
    statements = re.findall(r"RETURN QUERY\s+(SELECT.*?);", row[0], re.DOTALL)
    statement = dict(zip(("admin", "everyone", "mine"), statements, strict=True))[branch]
    for variable, written in (
        (r"\bme\b", "%(me)s"),
        (r"\bmember\b", "true"),
        (r"\bmost\b", "51"),
        (r"\(f\)", "(%(filter)s::rushes.job_filter)"),
    ):
        statement = re.sub(variable, written, statement)
    return str(statement)
