"""The ComfyUI generations the demo server can be, and in what they differ."""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Generation:
    """What one ComfyUI version does differently from the other."""

    version: str
    jobs_api: bool
    uuid_prompt_ids: bool
    names_missing_nodes: bool
    refuses_foreign_inputs: bool
    reports_cycles: bool
    newer_nodes: bool
    """Whether the core nodes are those of the newer kind, which check their choices themselves."""
    create_time: bool
    keeps_mono: bool
    trailing_underscore_everywhere: bool
    av_image_errors: bool
    hardened_view: bool
    refuses_cross_site: bool
    cached_prompts: int
    features: dict[str, Any]
    system: dict[str, Any]
    model_folders: tuple[str, ...]


_FOLDERS_0_3_64 = (
    "checkpoints", "configs", "loras", "vae", "text_encoders", "diffusion_models", "clip_vision", "style_models",
    "embeddings", "diffusers", "vae_approx", "controlnet", "gligen", "upscale_models", "custom_nodes",
    "hypernetworks", "photomaker", "classifiers", "model_patches", "audio_encoders",
)  # fmt: skip
_FOLDERS_0_33_0 = (
    *_FOLDERS_0_3_64[:14], "latent_upscale_models", "custom_nodes", "datasets", *_FOLDERS_0_3_64[15:],
    "background_removal", "frame_interpolation", "geometry_estimation", "optical_flow", "detection",
)  # fmt: skip

_CURRENT = Generation(
    version="0.33.0",
    jobs_api=True,
    uuid_prompt_ids=True,
    names_missing_nodes=True,
    refuses_foreign_inputs=True,
    reports_cycles=True,
    newer_nodes=True,
    create_time=True,
    keeps_mono=True,
    trailing_underscore_everywhere=False,
    av_image_errors=True,
    hardened_view=True,
    refuses_cross_site=True,
    cached_prompts=64,
    features={
        "supports_preview_metadata": True,
        "supports_model_type_tags": True,
        "max_upload_size": 104857600,
        "extension": {"manager": {"supports_v4": True}},
        "node_replacements": True,
        "assets": False,
    },
    system={"os": "linux", "required_frontend_version": "1.49.6", "deploy_environment": "demo"},
    model_folders=_FOLDERS_0_33_0,
)

_OLD = Generation(
    version="0.3.64",
    jobs_api=False,
    uuid_prompt_ids=False,
    names_missing_nodes=False,
    refuses_foreign_inputs=False,
    reports_cycles=False,
    newer_nodes=False,
    create_time=False,
    keeps_mono=False,
    trailing_underscore_everywhere=True,
    av_image_errors=False,
    hardened_view=False,
    refuses_cross_site=False,
    cached_prompts=1,
    features={"supports_preview_metadata": True, "max_upload_size": 104857600},
    system={"os": "posix", "required_frontend_version": "1.27.10"},
    model_folders=_FOLDERS_0_3_64,
)

_GENERATIONS = {known.version: known for known in (_CURRENT, _OLD)}
VERSIONS = tuple(_GENERATIONS)


def generation(version: str) -> Generation:
    """The generation of that version; raises ValueError naming the known ones."""
    try:
        return _GENERATIONS[version]
    except KeyError:
        raise ValueError(
            f"unknown ComfyUI version {version!r}: choose one of {', '.join(VERSIONS)}"
        ) from None


@cache
def recorded_object_info(version: str) -> dict[str, Any]:
    """The /object_info recorded from a real server of that version, every node class."""
    packed = files("rushes.testing").joinpath(f"recorded/object_info_{version}.json.gz").read_bytes()
    definitions: dict[str, Any] = json.loads(gzip.decompress(packed))
    return definitions
