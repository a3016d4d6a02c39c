"""docs/reference/manifest.md is complete, and its example works as printed."""

import io
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from rushes.adapters.catalog import FolderCatalog
from rushes.domain import derived, fields, workflow_manifest
from rushes.domain.check import check_workflow
from tests.integration.workflows.comfy import Comfy, given
from tests.integration.workflows.media import picture
from tests.integration.workflows.test_shipped import recorded

DOC = (Path(__file__).parents[3] / "docs/reference/manifest.md").read_text(encoding="utf-8")
TRANSFORMS = get_args(get_args(derived.Derived)[0])
MODELS = [
    fields.InputField,
    fields.Target,
    fields.OptionsFrom,
    workflow_manifest.Manifest,
    workflow_manifest.Output,
    workflow_manifest.Fragment,
    workflow_manifest.Join,
    workflow_manifest.Feed,
    workflow_manifest.Collect,
    workflow_manifest.Requirement,
    derived.Part,
    *TRANSFORMS,
]


@pytest.fixture
def example(tmp_path: Path) -> FolderCatalog:
    folder = tmp_path / "soft-focus"
    folder.mkdir()
    for language, names in (("toml", ["manifest.toml"]), ("json", ["workflow.json", "preview.json"])):
        found = re.search(rf"```{language}\n(.*?)```", DOC, re.DOTALL)
        assert found
        for name in names:
            (folder / name).write_text(found[1])
    return FolderCatalog([tmp_path])


def test_the_example_is_sound(example: FolderCatalog):
    assert example.broken() == {}
    assert not [str(one) for one in check_workflow(example.get("soft-focus"), recorded("0.33.0"))]


def test_the_example_runs(example: FolderCatalog, comfy: Comfy):
    files = {"a.png": picture(64, 48)}
    raw = {"image": given("a.png", "image/png"), "strength": "dreamy", "radius": 9}
    run = comfy.run(example.get("soft-focus"), raw, files)
    assert run.graph["2"]["inputs"] == {"image": ["1", 0], "blur_radius": 9, "sigma": 6.0}
    before, after = (
        np.asarray(Image.open(io.BytesIO(one)).convert("RGB")) for one in (files["a.png"], run.file)
    )
    assert before.shape == after.shape
    assert (before != after).any()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_is_documented(model):
    missing = [
        name
        for key, field in model.model_fields.items()
        for name in [field.alias or key]
        if not re.search(rf"(?<![a-z_]){name}(?![a-z_])", DOC)
    ]
    assert not missing


def test_every_kind_and_transform_is_documented():
    kinds = get_args(fields.Kind)
    transforms = [get_args(one.model_fields["transform"].annotation)[0] for one in TRANSFORMS]
    assert len(kinds) == 16
    assert not [name for name in (*kinds, *transforms) if f"`{name}`" not in DOC]
