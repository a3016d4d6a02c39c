"""Every shipped type's preview runs and yields the right kind of thing, of the right size and length."""

import io
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from rushes.adapters.catalog import FolderCatalog
from tests.integration.workflows.comfy import Comfy, given
from tests.integration.workflows.media import film, mask, picture, probe, sound

FPS = Fraction(25)
AWKWARD = 'He said "{{WIDTH}}" \\ $& True,\t\r\n\x07 ünï 🎬 {a|b} // no comment'


def pixels(content: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(content))
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB")).astype(int)


def image(key: str, **more):
    return given(key, "image/png", **more)


def wav(key: str, seconds: float):
    return given(key, "audio/wav", duration_seconds=seconds)


def test_img2img_changes_as_much_as_denoise_says(catalog: FolderCatalog, comfy: Comfy):
    files = {"input.png": picture(200, 120)}
    before = pixels(files["input.png"])
    changed = {}
    for denoise in (0.0, 0.87):
        raw = {
            "image": image("input.png"),
            "prompt": AWKWARD,
            "negative": "fog",
            "denoise": denoise,
            "seed": 7,
        }
        run = comfy.run(catalog.get("img2img"), raw, files)
        after = pixels(run.file)
        assert after.shape == before.shape
        assert run.graph["2"]["inputs"]["value"] == AWKWARD
        assert [one.name for one in run.outputs] == ["output"]
        changed[denoise] = float(np.abs(after - before).mean())
    assert changed[0.0] < 2
    assert changed[0.87] > 5


def test_style_transfer_has_the_size_asked_for_and_shows_both(catalog: FolderCatalog, comfy: Comfy):
    files = {"source.png": picture(200, 120), "style.png": picture(90, 90)}
    raw = {
        "source_image": image("source.png"),
        "style_image": image("style.png"),
        "prompt": "a fox",
        "width": 640,
        "height": 512,
    }
    run = comfy.run(catalog.get("style-transfer"), raw, files)
    assert pixels(run.file).shape == (512, 640, 3)
    assert [one.name for one in run.outputs] == ["result"]


def test_image_edit_visibly_changes_the_picture(catalog: FolderCatalog, comfy: Comfy):
    files = {"input.png": picture(161, 97)}
    run = comfy.run(catalog.get("image-edit"), {"image": image("input.png"), "prompt": "at night"}, files)
    after = pixels(run.file)
    assert after.shape == (97, 161, 3)
    assert np.abs(after - pixels(files["input.png"])).mean() > 15


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({}, 2.5),
        ({"audio_start": "0:00.5", "audio_end": 2}, 1.5),
        ({"audio_start": 1.2}, 1.3),
        ({"trim_to_audio": False}, 81 / 25),
    ],
)
def test_lipsync_one_lasts_as_long_as_its_sound(catalog: FolderCatalog, comfy: Comfy, more, seconds):
    files = {"portrait.png": picture(120, 160), "voice.wav": sound(2.5)}
    raw = {
        "image": image("portrait.png"),
        "audio": wav("voice.wav", 2.5),
        "width": 320,
        "height": 256,
        **more,
    }
    run = comfy.run(catalog.get("lipsync-one"), raw, files)
    seen = probe(run.file)
    assert seen.container.startswith("mov,mp4")
    assert (seen.video_codec, seen.audio_codec) == ("h264", "aac")
    assert (seen.width, seen.height, seen.fps) == (320, 256, FPS)
    assert seen.video_seconds == pytest.approx(seconds, abs=0.04)
    if more.get("trim_to_audio", True):
        assert seen.audio_seconds == pytest.approx(seconds, abs=0.08)
    assert run.files[0][0].startswith(f"rushes/{run.job_id}/output_video")
    assert [one.name for one in run.outputs] == ["output_video"]


def test_an_animated_portrait_is_one_picture(catalog: FolderCatalog, comfy: Comfy):
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (0, 128, 255)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    files = {"portrait.gif": buffer.getvalue(), "voice.wav": sound(1)}
    raw = {
        "image": given("portrait.gif", "image/gif"),
        "audio": wav("voice.wav", 1),
        "width": 256,
        "height": 256,
    }
    assert len(probe(comfy.run(catalog.get("lipsync-one"), raw, files).file).frames) == 25


@pytest.mark.parametrize("lengths", [[0.9], [0.5, 0.73], [0.31, 0.52, 0.4], [0.4, 0.3, 0.51, 0.6]])
def test_lipsync_multi_lights_one_speaker_after_another(catalog: FolderCatalog, comfy: Comfy, lengths):
    count = len(lengths)
    files = {"group.png": _plain(400, 200)}
    speakers = []
    for index, seconds in enumerate(lengths):
        files[f"mask{index}.png"] = mask(400, 200, index / count, (index + 1) / count)
        files[f"voice{index}.wav"] = sound(seconds, rate=(44_100, 22_050)[index % 2], channels=1 + index % 2)
        speakers.append({"mask": image(f"mask{index}.png"), "audio": wav(f"voice{index}.wav", seconds)})
    raw = {"image": image("group.png"), "speakers": speakers, "prompt": AWKWARD, "width": 512, "height": 256}
    run = comfy.run(catalog.get("lipsync-multi"), raw, files)
    seen = probe(run.file)
    assert (seen.video_codec, seen.audio_codec, seen.fps) == ("h264", "aac", FPS)
    assert (seen.width, seen.height) == (512, 256)
    assert seen.video_seconds == pytest.approx(sum(lengths), abs=0.05)
    assert seen.audio_seconds == pytest.approx(sum(lengths), abs=0.09)
    for index in range(count):
        middle = sum(lengths[:index]) + lengths[index] / 2
        parts = [
            seen.brightness(int(middle * 25), left=(part + 0.2) / count, right=(part + 0.8) / count)
            for part in range(count)
        ]
        assert max(range(count), key=parts.__getitem__) == index, parts


def _plain(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), (200, 200, 200)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("film_seconds", "fps", "sound_seconds"), [(1, 25, 2.6), (3, 25, 1.2), (1.5, 30, 2.0), (2, 12, 3.1)]
)
def test_video_lipsync_loops_or_cuts_the_video(
    catalog: FolderCatalog, comfy: Comfy, film_seconds, fps, sound_seconds
):
    files = {"clip.mp4": film(film_seconds, fps=fps), "voice.wav": sound(sound_seconds)}
    video = given("clip.mp4", "video/mp4", duration_seconds=film_seconds, width=160, height=120)
    raw = {"video": video, "audio": wav("voice.wav", sound_seconds), "width": 256, "height": 256}
    run = comfy.run(catalog.get("video-lipsync"), raw, files)
    seen = probe(run.file)
    assert (seen.video_codec, seen.audio_codec, seen.fps) == ("h264", "aac", FPS)
    assert (seen.width, seen.height) == (256, 256)
    assert seen.video_seconds == pytest.approx(sound_seconds, abs=0.04)
    assert seen.audio_seconds == pytest.approx(sound_seconds, abs=0.08)
    source = round(film_seconds * fps)
    assert seen.brightness(0) < seen.brightness(min(source, len(seen.frames)) // 2) - 10
    if len(seen.frames) > source:
        assert seen.brightness(source) < seen.brightness(source - 1) - 50, "it should begin again"


@pytest.mark.parametrize("seconds", [0.5, 1, 2.3])
def test_wan_i2v_moves(catalog: FolderCatalog, comfy: Comfy, seconds):
    files = {"start.png": picture(320, 180)}
    raw = {"image": image("start.png"), "prompt": AWKWARD, "width": 320, "height": 192, "seconds": seconds}
    run = comfy.run(catalog.get("wan-i2v"), raw, files)
    seen = probe(run.file)
    assert (seen.container.startswith("mov,mp4"), seen.video_codec, seen.audio_codec) == (True, "h264", None)
    assert (seen.width, seen.height, seen.fps) == (320, 192, Fraction(24))
    assert len(seen.frames) == -(-seconds * 24 // 1)
    moved = np.abs(seen.frames[0].astype(int) - seen.frames[-1 if seconds < 1 else 17]).mean()
    assert moved > 5
    assert [one.name for one in run.outputs] == ["output_video"]


@pytest.mark.parametrize("count", [1, 3, 12])
def test_character_caption_writes_one_text_an_image_in_order(catalog: FolderCatalog, comfy: Comfy, count):
    files = {f"c{index}.png": picture(64 + index, 48) for index in range(count)}
    raw = {
        "images": [image(f"c{index}.png", width=64 + index, height=48) for index in range(count)],
        "trigger_word": "ohwx 🦊",
        "caption_type": "Danbooru tag list",
        "caption_length": "short",
        "user_prompt": AWKWARD,
    }
    run = comfy.run(catalog.get("character-caption"), raw, files)
    assert [one.item for one in run.outputs] == list(range(1, count + 1))
    assert run.texts == [
        f"ohwx 🦊, Danbooru tag list caption, short, {64 + index} × 48 pixels, {AWKWARD}"
        for index in range(count)
    ]
    assert not run.files


def test_two_hundred_captions(catalog: FolderCatalog, comfy: Comfy):
    files = {"one.png": picture(32, 32)}
    raw = {"images": [image("one.png", width=32, height=32 + index) for index in range(200)]}
    run = comfy.run(catalog.get("character-caption"), raw, files)
    assert len(run.texts) == 200
    assert "32 × 231 pixels" in run.texts[-1]


@pytest.mark.parametrize("size", [(8, 6), (1, 1), (1500, 700)])
@pytest.mark.parametrize("name", ["img2img", "image-edit"])
def test_pictures_of_any_size_keep_it(catalog: FolderCatalog, comfy: Comfy, name, size):
    files = {"input.png": picture(*size)}
    run = comfy.run(catalog.get(name), {"image": image("input.png"), "prompt": "x"}, files)
    assert pixels(run.file).shape == (size[1], size[0], 3)
