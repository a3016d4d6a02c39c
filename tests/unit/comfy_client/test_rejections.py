"""Refusals, as both generations really wrote them, in words."""

from typing import Any

import pytest

from rushes.adapters.comfyui.graph_shape import check_shape
from rushes.adapters.comfyui.rejections import rejection
from rushes.domain.comfy import PromptRejected
from rushes.domain.job import JobErrorCode
from tests.unit.comfy_client.recordings import REFUSALS, VERSIONS

WORDS: dict[str, tuple[JobErrorCode, str]] = {
    "unknown_class": (
        JobErrorCode.MISSING_NODE,
        'The server doesn\'t have the node class NoSuchNode for node 1 "e". Install the custom node that brings it.',
    ),
    "not_a_number": (
        JobErrorCode.INVALID_WORKFLOW,
        'Node 1 "e" (EmptyImage): the input width can\'t be "abc": it takes a whole number.',
    ),
    "too_small": (
        JobErrorCode.INVALID_WORKFLOW,
        'Node 1 "e" (EmptyImage): the input width can\'t be 0: value 0 smaller than min of 1.',
    ),
    "input_left_out": (JobErrorCode.INVALID_WORKFLOW, 'Node 1 "e" (EmptyImage): the input width is missing.'),
    "dangling_link": (
        JobErrorCode.INVALID_WORKFLOW,
        'Node 2 "Output" (SaveImage): something that it depends on links to node 77, which is not in the graph.',
    ),
    "no_outputs": (
        JobErrorCode.INVALID_WORKFLOW,
        "The graph has no output node, so it would make nothing.",
    ),
    "no_file": (
        JobErrorCode.MISSING_INPUT,
        'Node 1 "Input image" (LoadImage): the file "nope.png" (input image) is not on the server.',
    ),
    "no_audio": (
        JobErrorCode.MISSING_INPUT,
        'Node 1 (LoadAudio): the file "nope.wav" (input audio) is not on the server.',
    ),
    "one_of_two": (
        JobErrorCode.MISSING_INPUT,
        'Node 5 (LoadImage): the file "nope.png" (input image) is not on the server.',
    ),
    "no_checkpoint": (
        JobErrorCode.MISSING_MODEL,
        'Node 5 (CheckpointLoaderSimple): the model "flux1-dev.safetensors" (input ckpt_name) is not on the server.',
    ),
    "no_vae": (
        JobErrorCode.MISSING_MODEL,
        'Node 5 (VAELoader): the model "ae.sft" (input vae_name) is not on the server.',
    ),
    "not_a_choice": (
        JobErrorCode.INVALID_WORKFLOW,
        'Node 3 (ImageScale): the input upscale_method can\'t be "magic". '
        "It can be nearest-exact, bilinear, area, bicubic, lanczos.",
    ),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", WORDS)
def test_a_refusal_in_words(version: str, case: str) -> None:
    recorded = REFUSALS[version][case]
    error = rejection(recorded["graph"], recorded["answer"])
    assert (error.code, error.message) == WORDS[case]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", REFUSALS["0.33.0"])
def test_every_refusal_says_something_and_lists_its_faults(version: str, case: str) -> None:
    recorded = REFUSALS[version][case]
    error = rejection(recorded["graph"], recorded["answer"])
    assert len(error.message) > 20
    assert error.message.endswith((".", ")", "?"))
    assert error.details["errors"]


def test_a_cycle_is_named_where_the_server_names_it_and_guessed_where_not() -> None:
    new, old = (rejection(r["graph"], r["answer"]).message for r in (REFUSALS[v]["cycle"] for v in VERSIONS))
    assert "ependency cycle" in new
    assert "cycle?" in old


def answer(*errors: dict[str, Any], node: str = "1", class_type: str = "Loader") -> dict[str, Any]:
    return {"error": {"type": "x"}, "node_errors": {node: {"errors": list(errors), "class_type": class_type}}}


def not_in_list(name: str, value: Any) -> dict[str, Any]:
    return {
        "type": "value_not_in_list",
        "message": "Value not in list",
        "details": f"{name}: '{value}' not in []",
        "extra_info": {"input_name": name, "input_config": None, "received_value": value},
    }


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("lora_name", "style.safetensors", JobErrorCode.MISSING_MODEL),
        ("clip_name2", "t5xxl", JobErrorCode.MISSING_MODEL),
        ("unet_name", "flux/dev.gguf", JobErrorCode.MISSING_MODEL),
        ("whatever", "deep/x.pth", JobErrorCode.MISSING_MODEL),
        ("upscale_model", "4x", JobErrorCode.MISSING_MODEL),
        ("image", "a.png", JobErrorCode.MISSING_INPUT),
        ("video", "b.mp4 [output]", JobErrorCode.MISSING_INPUT),
        ("sampler_name", "euler_ultra", JobErrorCode.INVALID_WORKFLOW),
        ("codec", 3, JobErrorCode.INVALID_WORKFLOW),
    ],
)
def test_what_is_not_in_a_list_is_a_model_an_input_or_a_choice(
    name: str, value: Any, code: JobErrorCode
) -> None:
    assert rejection({}, answer(not_in_list(name, value))).code is code


def test_the_gravest_fault_speaks_and_the_others_are_counted() -> None:
    small = {"type": "value_smaller_than_min", "message": "Value 0 smaller than min of 1", "extra_info": {}}
    error = rejection({}, answer(small, not_in_list("image", "a.png"), not_in_list("vae_name", "b.sft")))
    assert error.code is JobErrorCode.MISSING_MODEL
    assert error.message.endswith("(and 2 more)")
    assert [fault["input"] for fault in error.details["errors"]] == ["vae_name", "image", None]


def test_a_traceback_in_a_refusal_stays_away_from_the_user() -> None:
    broken = {
        "type": "exception_during_validation",
        "message": "Exception when validating node",
        "details": "[Errno 2] No such file or directory: '/srv/comfy/models/list.txt'",
        "extra_info": {"traceback": ['  File "/srv/comfy/execution.py", line 1']},
    }
    assert "/srv" not in rejection({}, answer(broken)).message


@pytest.mark.parametrize(
    "odd", [{}, {"error": None}, {"error": "no"}, {"node_errors": {"1": 3}}, {"error": {"type": 1}}]
)
def test_odd_refusals_are_refusals(odd: dict[str, Any]) -> None:
    assert rejection({}, odd).code is JobErrorCode.INVALID_WORKFLOW


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        ({}, "no nodes"),
        ({"nodes": [], "links": [], "version": 0.4}, "Export (API)"),
        ({"1": []}, "Node 1 has no class_type"),
        ({"1": {"inputs": {}}}, "Node 1 has no class_type"),
        ({"1": {"class_type": None, "inputs": {}}}, "Node 1 has no class_type"),
        ({"1": {"class_type": "A"}}, "Node 1 (A) has no inputs"),
    ],
)
def test_what_comfyui_would_answer_with_a_500_is_refused_before(graph: dict[str, Any], words: str) -> None:
    with pytest.raises(PromptRejected) as caught:
        check_shape(graph)
    assert words in caught.value.message
    assert caught.value.code is JobErrorCode.INVALID_WORKFLOW
