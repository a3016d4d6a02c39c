"""A manifest that can't work is refused, with every reason, when it is read."""

import pytest

from rushes.domain.errors import InvalidWorkflow
from rushes.domain.workflow import parse_workflow
from tests.unit.workflows.shapes import SAVE, manifest, node

NODES = {"1": node("LoadImage", image="x.png"), "2": node("N", link=["1", 0], value=1), "9": SAVE}
LIST = {"name": "many", "kind": "image_list", "bind": ["1.image"]}


def problems(raw: dict, graphs: dict | None = None, name: str = "sample") -> str:
    with pytest.raises(InvalidWorkflow) as caught:
        parse_workflow(name, raw, {"workflow.json": NODES} if graphs is None else graphs)
    return "\n".join(caught.value.details["problems"])


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ({"kind": "number", "bind": ["7.value"]}, "x is bound to node 7, which is not there"),
        ({"kind": "number", "bind": ["2.link"]}, "is a link to another node; bind a value"),
        ({"kind": "number", "bind": ["2"]}, '"2" should be "<node id>.<input name>"'),
        ({"kind": "number", "bind": {"other": ["2.value"]}}, "unknown graph 'other'"),
        ({"kind": "number", "bind": {"preview": ["2.value"]}}, "preview.json only, and that is missing"),
        ({"kind": "number", "bind": [{"node": "2", "input": ["value", "deep"]}]}, "nothing to put it in"),
        ({"kind": "number", "min": 2, "max": 1}, "min 2 is above max 1"),
        ({"kind": "text", "min": 2}, "don't apply to kind text"),
        ({"kind": "integer", "default": "5"}, "the default of x should be a whole number"),
        ({"kind": "integer", "default": 5, "min": 6}, "the default of x should be from 6"),
        ({"kind": "select"}, "needs options"),
        ({"kind": "group"}, "needs fields"),
        ({"kind": "image", "default": "a.png"}, "can't have a default"),
        ({"kind": "colour"}, "inputs.0.kind"),
        ({"kind": "number", "steps": 1}, "inputs.0.steps: Extra inputs"),
        ({"kind": "image_list", "bind": ["1.image"]}, "node 1 is in no fragment over it"),
    ],
)
def test_a_wrong_input_is_explained(field, says):
    assert says in problems(manifest({"name": "x", **field}))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"outputs": [{"name": "o", "kind": "image", "node": "5"}]},
            "output o names node 5, which is not there",
        ),
        ({"outputs": []}, "outputs"),
        ({"derived": [{"name": "d", "transform": "count", "of": "nothing"}]}, "d needs 'nothing'"),
        ({"derived": [{"name": "d", "transform": "eval", "code": "1"}]}, "derived.0"),
        ({"derived": [{"name": "d", "each": "x", "transform": "count", "of": "many"}]}, "no list input"),
        (
            {"fragments": [{"graph": "workflow", "over": "none", "nodes": ["1"]}]},
            "no list input and no derived",
        ),
        ({"fragments": [{"graph": "workflow", "over": "many", "nodes": ["8"]}]}, "node 8 is not there"),
        (
            {
                "fragments": [
                    {
                        "graph": "workflow",
                        "over": "many",
                        "nodes": ["1"],
                        "join": [{"node": "2", "input": "a", "item": "value"}],
                    }
                ]
            },
            "2.value should be a link",
        ),
        (
            {
                "fragments": [
                    {
                        "graph": "workflow",
                        "over": "many",
                        "nodes": ["1"],
                        "feed": [{"node": "9", "input": "a", "from": "1"}],
                    }
                ]
            },
            "feed goes to node 9",
        ),
        (
            {
                "fragments": [
                    {
                        "graph": "workflow",
                        "over": "many",
                        "nodes": ["1"],
                        "collect": [{"node": "1", "input": "a#", "from": "1"}],
                    }
                ]
            },
            "should be one outside",
        ),
    ],
)
def test_wrong_parts_are_explained(more, says):
    assert says in problems(manifest(LIST, **more))


def test_names_are_used_once():
    twice = {"name": "x", "kind": "text"}
    assert "the name x is used more than once" in problems(manifest(twice, twice))


def test_all_problems_are_told_at_once():
    told = problems(manifest({"name": "x", "kind": "number", "bind": ["7.a", "8.b"]}))
    assert "node 7" in told
    assert "node 8" in told


@pytest.mark.parametrize(
    ("graph", "says"),
    [
        ({"nodes": [], "links": []}, "Workflow > Export (API)"),
        ([], "an object of nodes by id"),
        ({}, "an object of nodes by id"),
        ({"1": {"inputs": {}}}, "node 1 has no class_type"),
        ({"1": {"class_type": "X", "inputs": []}}, "node 1 has no inputs object"),
        ({"1": 5}, "node 1 has no class_type"),
    ],
)
def test_what_is_no_graph_is_refused(graph, says):
    assert says in problems(manifest(), {"workflow.json": graph})


@pytest.mark.parametrize("name", ["Upper", "-first", "a" * 64, "a/b", "..", ""])
def test_folder_names_are_plain(name):
    assert "is not usable" in problems(manifest(), name=name)


def test_the_version_changes_with_any_change():
    versions = {
        parse_workflow("t", manifest(**more), {"workflow.json": NODES | extra}).version
        for more in ({}, {"description": "d"})
        for extra in ({}, {"3": node("N")})
    }
    assert len(versions) == 4
    assert all(len(one) == 16 for one in versions)


def test_ids_that_look_like_copies_are_refused_where_copies_are_made():
    graph = NODES | {"1_2": node("LoadImage", image="x")}
    fragment = {"graph": "workflow", "over": "many", "nodes": ["1"]}
    assert "1_2 could be mistaken for a copy" in problems(
        manifest(LIST, fragments=[fragment]), {"workflow.json": graph}
    )
