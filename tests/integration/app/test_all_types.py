"""All eight workflow types end to end through the API, on the demo server of both generations; or on the real
ComfyUI that RUSHES_TEST_COMFY_URL names. What comes out is probed, not believed."""

import io
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import av
import pytest
from PIL import Image

from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.made import clip, picture, sound
from tests.integration.app.person import Json, Person, names
from tests.integration.app.stand import Stand

REAL = os.environ.get("RUSHES_TEST_COMFY_URL")
PATIENCE = 240 if REAL else 60
FPS = 25


@pytest.fixture(scope="module", params=["real"] if REAL else ["0.33.0", "0.3.64"])
def comfy_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if REAL:
        yield REAL
        return
    with DemoServer(version=request.param) as demo:
        yield demo.url


@pytest.fixture(scope="module")
def app(postgres_server: str, comfy_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path_factory.mktemp("app"), comfy_urls=[comfy_url], demo=False) as stand,
    ):
        yield stand


@pytest.fixture(scope="module")
def eva(app: Stand) -> Person:
    return app.person()


@pytest.fixture(scope="module")
def jobs(eva: Person) -> dict[str, Json]:
    """One of each, submitted together; the three videos with sound are 1.2, 1.0 and 0.8 s long."""
    image, wide = eva.uploaded("portrait.png", picture(128, 160)), eva.uploaded("wide.png", picture(256, 256))
    voice = eva.uploaded("voice.wav", sound(1.2))
    speakers = [
        {
            "mask": eva.uploaded(f"mask{n}.png", picture(256, 256)),
            "audio": eva.uploaded(f"{n}.wav", sound(seconds)),
        }
        for n, seconds in enumerate((0.6, 0.4))
    ]
    small = {"width": 256, "height": 256}
    asked: dict[str, Json] = {
        "img2img": {"image": image, "prompt": "a fox", "negative": "fog", "seed": 1},
        "style-transfer": {
            "source_image": image,
            "style_image": wide,
            "prompt": "a fox",
            "width": 512,
            "height": 512,
        },
        "image-edit": {"image": image, "prompt": "at night"},
        "lipsync-one": {"image": image, "audio": voice, **small},
        "lipsync-multi": {"image": wide, "speakers": speakers, **small},
        "video-lipsync": {
            "video": eva.uploaded("clip.mp4", clip(1)),
            "audio": eva.uploaded("short.wav", sound(0.8)),
            **small,
        },
        "wan-i2v": {"image": wide, "prompt": "waves", "seconds": 0.5, **small},
        "character-caption": {"images": [image, wide, image], "trigger_word": "ohwx"},
    }
    return {name: eva.submit(name, inputs, preview=True) for name, inputs in asked.items()}


def finished(eva: Person, jobs: dict[str, Json], name: str) -> Json:
    return eva.completed(jobs[name]["id"], seconds=PATIENCE)


def fetched(app: Stand, eva: Person, job: Json, stored_as: str) -> tuple[Json, bytes]:
    """The only file, as the API gives it; it lies where the layout says, and tells nothing of its making."""
    (file,) = job["outputs"]["files"]
    assert names([file]) == [stored_as]
    key = f"workflows/{job['workflow_type']}/{job['id']}/{stored_as}"
    assert (file["key"], job["result_urls"]) == (key, [f"/storage/{key}"])
    answer = eva.get(file["url"])
    content = answer.content
    assert (answer.status_code, len(content)) == (200, file["size_bytes"])
    assert content == (app.storage / key).read_bytes()
    assert answer.headers["content-type"] == file["content_type"]
    for told in (b"class_type", b'"prompt"', b"filename_prefix", b"workflow", b"LoadImage"):
        assert told not in content, told
    return file, content


@pytest.mark.parametrize(
    ("name", "stored_as", "size"),
    [("img2img", "output.png", (128, 160)), ("style-transfer", "result.png", (512, 512)), ("image-edit", "output.png", (128, 160))],
)  # fmt: skip
def test_pictures(
    app: Stand, eva: Person, jobs: dict[str, Json], name: str, stored_as: str, size: tuple[int, int]
):
    job = finished(eva, jobs, name)
    file, content = fetched(app, eva, job, stored_as)
    image = Image.open(io.BytesIO(content))
    image.load()
    assert (image.format, image.size) == ("PNG", size)
    assert not image.info, image.info
    assert (file["kind"], file["width"], file["height"]) == ("image", *size)
    inputs = {"img2img": ["input"], "style-transfer": ["source", "style"], "image-edit": ["input"]}[name]
    folder = app.storage / "workflows" / name / job["id"]
    for stem in inputs:
        assert (folder / f"{stem}.png").is_file()


@pytest.mark.parametrize(
    ("name", "seconds", "sounds"),
    [
        ("lipsync-one", 1.2, True),
        ("lipsync-multi", 1.0, True),
        ("video-lipsync", 0.8, True),
        ("wan-i2v", 0.5, False),
    ],
)
def test_videos(app: Stand, eva: Person, jobs: dict[str, Json], name: str, seconds: float, sounds: bool):
    job = finished(eva, jobs, name)
    file, content = fetched(app, eva, job, "output_video.mp4")
    with av.open(io.BytesIO(content), "r") as container:
        assert "mp4" in container.format.name
        assert not {"prompt", "workflow"} & set(container.metadata)
        (video,) = container.streams.video
        assert (video.codec_context.name, video.codec_context.width, video.codec_context.height) == (
            "h264",
            256,
            256,
        )
        frames = sum(1 for _ in container.decode(video))
        assert frames / float(video.average_rate or 1) == pytest.approx(seconds, abs=0.1)
        assert bool(container.streams.audio) is sounds
        if sounds:
            container.seek(0)
            (audio,) = container.streams.audio
            assert audio.codec_context.name == "aac"
            heard = sum(frame.samples / frame.sample_rate for frame in container.decode(audio))
            assert heard == pytest.approx(seconds, abs=0.12)
    assert (file["kind"], file["width"], file["height"]) == ("video", 256, 256)
    assert file["duration_seconds"] == pytest.approx(seconds, abs=0.15)
    assert file["fps"] == pytest.approx(24 if name == "wan-i2v" else FPS, abs=0.1)


def test_captions(eva: Person, jobs: dict[str, Json]):
    job = finished(eva, jobs, "character-caption")
    assert job["outputs"]["files"] == job["result_urls"] == []
    texts = job["outputs"]["texts"]
    assert [text["item"] for text in texts] == [1, 2, 3]
    assert all(text["text"].startswith("ohwx") for text in texts)
    assert "256 × 256" in texts[1]["text"]


def test_posters_and_thumbnails_follow(eva: Person, jobs: dict[str, Json]):
    for name in ("img2img", "lipsync-one"):
        finished(eva, jobs, name)
        job = eva.until(jobs[name]["id"], lambda one: one["outputs"]["files"][0]["thumb_key"])
        file = job["outputs"]["files"][0]
        assert file["thumb_key"].endswith("/thumb_1.webp")
        assert file["thumbhash"]
        kinds = ["thumb_key"] + (["poster_key"] if file["kind"] == "video" else [])
        for kind in kinds:
            picture_of = Image.open(io.BytesIO(eva.get(f"/storage/{file[kind]}").content))
            assert picture_of.format == "WEBP"
            assert max(picture_of.size) <= 512


def test_the_graph_kept_is_the_graph_sent(eva: Person, jobs: dict[str, Json]):
    for name in jobs:
        finished(eva, jobs, name)
        graph = eva.sent_graph(jobs[name]["id"])
        prefixes = [
            node["inputs"]["filename_prefix"]
            for node in graph.values()
            if "filename_prefix" in node["inputs"]
        ]
        assert all(prefix.startswith(f"rushes/{jobs[name]['id']}/") for prefix in prefixes)
        assert "{{" not in json.dumps(graph)


def test_cancelled_on_the_way(eva: Person):
    """One that runs, and one that waits behind it; the third is not touched."""
    image = eva.uploaded("big.png", picture(1024, 1024))

    def ask() -> Any:
        return eva.submit(
            "wan-i2v",
            {"image": image, "prompt": "x", "seconds": 5, "width": 768, "height": 768},
            preview=True,
        )

    first, second = ask(), ask()
    third = eva.submit("img2img", {"image": eva.uploaded("a.png", picture()), "prompt": "x"}, preview=True)
    eva.until(first["id"], lambda one: one["status"] != "pending", seconds=PATIENCE)
    for job in (second, first):
        eva.post(f"/api/jobs/{job['id']}/cancel")
    began = time.monotonic()
    assert eva.ended(second["id"], seconds=PATIENCE)["status"] == "cancelled"
    assert eva.ended(first["id"], seconds=PATIENCE)["status"] == "cancelled"
    assert eva.completed(third["id"], seconds=PATIENCE)["attempt"] == 1
    assert time.monotonic() - began < PATIENCE
