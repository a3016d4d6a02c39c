"""The eight shipped folders: sound by what both ComfyUI generations say their nodes take."""

import gzip
import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from rushes.adapters.catalog import FolderCatalog
from rushes.domain.check import check_workflow
from rushes.domain.requirements import requirements
from rushes.domain.schema import json_schema

TYPES = [
    "lipsync-one",
    "lipsync-multi",
    "video-lipsync",
    "wan-i2v",
    "img2img",
    "style-transfer",
    "image-edit",
    "character-caption",
]


@cache
def recorded(version: str) -> Any:
    packed = files("rushes.testing") / "recorded" / f"object_info_{version}.json.gz"
    return json.loads(gzip.decompress(packed.read_bytes()))


def test_all_eight_are_there(catalog: FolderCatalog):
    assert [one.type for one in catalog.list()] == TYPES
    assert catalog.broken() == {}


@pytest.mark.parametrize("name", TYPES)
def test_every_graph_fits_current_nodes(catalog: FolderCatalog, name):
    problems = check_workflow(catalog.get(name), recorded("0.33.0"))
    expected = {"not_proved"} if name == "lipsync-multi" else set()
    assert {one.level for one in problems} == expected, list(map(str, problems))


@pytest.mark.parametrize("version", ["0.33.0", "0.3.64"])
@pytest.mark.parametrize("name", TYPES)
def test_previews_fit_both_generations_and_need_no_model(catalog: FolderCatalog, name, version):
    workflow = catalog.get(name)
    problems = [one for one in check_workflow(workflow, recorded(version)) if one.graph == "preview.json"]
    assert not [str(one) for one in problems if one.level != "warning"]
    needs = requirements(workflow.graph("preview.json"), recorded(version))
    assert not needs.models
    assert not needs.missing_on(recorded(version))


@pytest.mark.parametrize("name", TYPES)
def test_production_graphs_name_their_models(catalog: FolderCatalog, name):
    assert requirements(catalog.get(name).graph(), recorded("0.33.0")).models


@pytest.mark.parametrize("name", TYPES)
def test_every_type_has_a_schema_and_a_small_picture(catalog: FolderCatalog, name):
    workflow = catalog.get(name)
    Draft202012Validator.check_schema(json_schema(workflow))
    assert workflow.picture is not None
    path = Path(workflow.picture)
    assert path.stat().st_size < 20_000
    with Image.open(path) as image:
        assert (image.format, image.size) == ("WEBP", (400, 250))


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        (
            "lipsync-one",
            {
                "image",
                "audio",
                "prompt",
                "width",
                "height",
                "trim_to_audio",
                "audio_start",
                "audio_end",
                "audio_scale",
                "mode",
                "seed",
            },
        ),
        ("lipsync-multi", {"image", "speakers", "prompt", "width", "height", "seed"}),
        (
            "video-lipsync",
            {
                "video",
                "audio",
                "prompt",
                "width",
                "height",
                "audio_scale",
                "audio_start",
                "audio_end",
                "seed",
            },
        ),
        ("wan-i2v", {"image", "prompt", "width", "height", "seconds", "seed"}),
        ("img2img", {"image", "prompt", "negative", "denoise", "steps", "cfg", "seed"}),
        ("style-transfer", {"source_image", "style_image", "prompt", "width", "height", "seed"}),
        ("image-edit", {"image", "prompt", "seed"}),
    ],
)
def test_inputs_have_the_seeds_names(catalog: FolderCatalog, name, inputs):
    assert {field.name for field in catalog.get(name).manifest.inputs} == inputs
