"""What a finished prompt made, under the names that it is stored under."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.keys import is_valid_key, job_key
from rushes.domain.results import name_results
from tests.unit.domain.manifests import shipped

IMG2IMG, MULTI, CAPTION = shipped("img2img"), shipped("lipsync-multi"), shipped("character-caption")


def entry(outputs: dict[str, Any]) -> dict[str, Any]:
    status = {"status_str": "success", "completed": True, "messages": []}
    return {"prompt": [0, "id", {}, {}, []], "outputs": outputs, "status": status}


def picture(name: str = "x_00001_.png", **more: str) -> dict[str, str]:
    return {"filename": name, "subfolder": "", "type": "output", **more}


def declared_node(workflow: Any = IMG2IMG) -> str:
    node: str = workflow.manifest.outputs[0].node_in("preview.json")
    return node


def test_one_output_bears_the_declared_name() -> None:
    made = name_results(IMG2IMG, "preview.json", entry({declared_node(): {"images": [picture()]}}), attempt=1)
    assert [file.stored_as for file in made.files] == ["output.png"]
    assert made.files[0].file.filename == "x_00001_.png"


def test_several_are_numbered_and_a_later_attempt_is_marked() -> None:
    many = entry({declared_node(): {"images": [picture("a.png"), picture("b.PNG"), picture("c")]}})
    made = name_results(IMG2IMG, "preview.json", many, attempt=3)
    assert [file.stored_as for file in made.files] == ["output_1-3.png", "output_2-3.png", "output_3-3"]


def test_declared_outputs_come_first_then_nodes_by_number() -> None:
    outputs = {"100": {"images": [picture("c.png")]}, "70": {"images": [picture("b.png")]}}
    outputs[declared_node()] = {"images": [picture("a.png")]}
    made = name_results(IMG2IMG, "preview.json", entry(outputs), attempt=1)
    assert [file.stored_as for file in made.files] == ["output.png", "output_70.png", "output_100.png"]


def test_a_numbered_output_and_a_numbered_node_never_share_a_name() -> None:
    outputs = {
        declared_node(): {"images": [picture("a.png"), picture("b.png")]},
        "2": {"images": [picture("c.png")]},
    }
    made = name_results(IMG2IMG, "preview.json", entry(outputs), attempt=1)
    assert [(file.stored_as, file.file.filename) for file in made.files] == [
        ("output_1.png", "a.png"),
        ("output_2.png", "b.png"),
        ("output_2_2.png", "c.png"),
    ]


def test_texts_carry_the_number_of_their_item() -> None:
    output = CAPTION.manifest.outputs[0]
    node = str(output.node_in("preview.json"))
    outputs = {f"{node}_{n}" if n > 1 else node: {"text": [f"caption {n}"]} for n in (3, 1, 2)}
    made = name_results(CAPTION, "preview.json", entry(outputs), attempt=1)
    assert [(text.item, text.text) for text in made.texts] == [(n, f"caption {n}") for n in (1, 2, 3)]
    assert made.texts[0].as_json()["item"] == 1


def test_nothing_made_is_nothing() -> None:
    made = name_results(IMG2IMG, "preview.json", entry({}), attempt=1)
    assert (made.files, made.texts) == ([], [])


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8),
        st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4),
        max_size=5,
    ),
    st.integers(1, 3),
)
def test_names_are_valid_keys_and_unlike_each_other(outputs: dict[str, list[str]], attempt: int) -> None:
    listed = {node: {"images": [picture(name) for name in names]} for node, names in outputs.items()}
    made = name_results(IMG2IMG, "preview.json", entry(listed), attempt=attempt)
    names = [file.stored_as for file in made.files]
    assert len(names) == len(set(names)), names
    assert all(is_valid_key(job_key("img2img", "0", name)) for name in names)
