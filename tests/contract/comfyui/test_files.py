"""Uploads and /view: names, duplicates, ranges, validators, and what is refused."""

import json
import uuid
from io import BytesIO

import httpx2
import pytest
from PIL import Image

from tests.contract.comfyui.api import Comfy
from tests.contract.comfyui.cases import node
from tests.contract.comfyui.record import DATA

PORTRAIT = {"filename": "portrait_a.png", "type": "input"}


@pytest.fixture
def name() -> str:
    """A file name nobody used."""
    return f"suite-{uuid.uuid4().hex}.bin"


def stored(answer: httpx2.Response) -> tuple[str, str, str]:
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found["name"], found["subfolder"], found["type"]


def test_equal_bytes_keep_the_name_and_others_get_a_new_one(comfy: Comfy, name: str) -> None:
    stem = name.removesuffix(".bin")
    assert stored(comfy.upload(name, b"one")) == (name, "", "input")
    assert stored(comfy.upload(name, b"one")) == (name, "", "input")
    assert stored(comfy.upload(name, b"two")) == (f"{stem} (1).bin", "", "input")
    assert stored(comfy.upload(name, b"three")) == (f"{stem} (2).bin", "", "input")
    assert stored(comfy.upload(name, b"two")) == (f"{stem} (1).bin", "", "input")
    assert stored(comfy.upload(name, b"four", overwrite="true")) == (name, "", "input")
    assert stored(comfy.upload(name, b"five", overwrite="1")) == (name, "", "input")
    assert stored(comfy.upload(name, b"six", overwrite="false")) == (f"{stem} (3).bin", "", "input")
    assert comfy.http.get("/view", params={"filename": name, "type": "input"}).content == b"five"


def test_subfolders_and_kinds(comfy: Comfy, name: str) -> None:
    folder = f"suite/{uuid.uuid4().hex}"
    assert stored(comfy.upload(name, b"x", subfolder=folder)) == (name, folder, "input")
    assert stored(comfy.upload(name, b"x", type="temp")) == (name, "", "temp")
    assert stored(comfy.upload(name, b"x", type="output", subfolder="suite")) == (name, "suite", "output")
    assert (
        comfy.http.get("/view", params={"filename": name, "type": "input", "subfolder": folder}).content
        == b"x"
    )


def test_loaders_take_uploads_in_subfolders_and_annotated_names(comfy: Comfy) -> None:
    folder = f"suite/{uuid.uuid4().hex}"
    for file in ("portrait_b.jpg", "voice.wav", "clip.mp4"):
        comfy.upload(file, (DATA / "inputs" / file).read_bytes(), subfolder=folder)
    comfy.upload(
        "again.png",
        (DATA / "inputs" / "style.png").read_bytes(),
        type="output",
        subfolder=folder,
        overwrite="1",
    )
    prompt = {
        "1": node("LoadImage", image=f"{folder}/portrait_b.jpg"),
        "2": node("LoadAudio", audio=f"{folder}/voice.wav"),
        "3": node("LoadVideo", file=f"{folder}/clip.mp4"),
        "4": node("LoadImage", image=f"{folder}/again.png [output]"),
        "5": node("PreviewImage", images=["1", 0]),
        "6": node("PreviewAudio", audio=["2", 0]),
        "7": node("SaveVideo", video=["3", 0], filename_prefix=f"{folder}/v", format="mp4", codec="auto"),
        "8": node("PreviewImage", images=["4", 0]),
    }
    run = comfy.submit(prompt)
    assert (run.status_code, run.post["node_errors"]) == (200, {})
    assert set(comfy.entry(run.prompt_id)["outputs"]) == {"5", "6", "7", "8"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"subfolder": "../../x"}, 400),
        ({"subfolder": "/etc"}, 400),
        ({"type": "bogus"}, 500),
    ],
)
def test_a_place_outside_is_refused(comfy: Comfy, name: str, fields: dict[str, str], status: int) -> None:
    assert comfy.upload(name, b"x", **fields).status_code == status


def test_a_form_without_the_file_is_refused(comfy: Comfy) -> None:
    wrong_field = comfy.http.post("/upload/image", files={"picture": ("x.png", b"x")})
    assert (wrong_field.status_code, wrong_field.content) == (400, b"")
    as_text = comfy.http.post("/upload/image", files={"image": (None, b"x")})
    assert as_text.status_code == 500
    assert comfy.http.post("/upload/image", json={"image": "x"}).status_code == 400
    assert comfy.upload("x" * 300 + ".png", b"x").status_code == 500
    assert comfy.upload("a/b.bin", b"x").status_code in (200, 500)  # by whether the client quotes the slash


def test_an_empty_file_is_stored(comfy: Comfy, name: str) -> None:
    assert stored(comfy.upload(name, b""))[0] == name


def test_a_mask_becomes_the_alpha_of_the_original(comfy: Comfy) -> None:
    mask = BytesIO()
    Image.new("RGBA", (512, 512), (0, 0, 0, 77)).save(mask, "PNG")
    reference = json.dumps({"filename": "portrait_a.png", "type": "input", "subfolder": ""})
    answer = comfy.http.post(
        "/upload/mask",
        files={"image": ("suite-mask.png", mask.getvalue())},
        data={"original_ref": reference, "overwrite": "true"},
    )
    shown = comfy.http.get("/view", params={"filename": stored(answer)[0], "type": "input"})
    with Image.open(BytesIO(shown.content)) as merged:
        assert (merged.mode, merged.size) == ("RGBA", (512, 512))
        assert merged.getchannel("A").getextrema() == (77, 77)


def test_view_knows_ranges_and_validators(comfy: Comfy) -> None:
    whole = comfy.http.get("/view", params=PORTRAIT)
    size = len(whole.content)
    assert whole.headers["content-length"] == str(size)
    part = comfy.http.get("/view", params=PORTRAIT, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{size}"
    tail = comfy.http.get("/view", params=PORTRAIT, headers={"range": "bytes=-7"})
    assert (tail.status_code, tail.content) == (206, whole.content[-7:])
    rest = comfy.http.get("/view", params=PORTRAIT, headers={"range": f"bytes={size - 3}-"})
    assert (rest.status_code, rest.content) == (206, whole.content[-3:])
    beyond = comfy.http.get("/view", params=PORTRAIT, headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    unchanged = comfy.http.get("/view", params=PORTRAIT, headers={"if-none-match": whole.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    since = comfy.http.get(
        "/view", params=PORTRAIT, headers={"if-modified-since": whole.headers["last-modified"]}
    )
    assert since.status_code == 304
    head = comfy.http.head("/view", params=PORTRAIT)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 404),
        ({"filename": "nope.png"}, 404),
        ({"filename": "../x.png", "type": "input"}, 400),
        ({"filename": "/etc/passwd"}, 400),
        ({"filename": "x.png", "subfolder": "../.."}, 403),
        ({"filename": "x.png", "type": "bogus"}, 400),
        ({"filename": "some/portrait_a.png", "type": "input"}, 200),
        ({"filename": "portrait_a.png [input]"}, 200),
        ({"filename": "clip.mp4", "type": "input", "preview": "webp;90"}, 500),
    ],
)
def test_view_refuses_and_finds(comfy: Comfy, query: dict[str, str], status: int) -> None:
    assert comfy.http.get("/view", params=query).status_code == status


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("clip.mp4", "video/mp4"),
        ("second_voice.mp3", "audio/mpeg"),
        ("voice.wav", "audio/x-wav"),
        ("caption_seed.txt", "text/plain"),
        ("portrait_b.jpg", "image/jpeg"),
    ],
)
def test_view_guesses_the_type_by_name(comfy: Comfy, file: str, kind: str) -> None:
    answer = comfy.http.get("/view", params={"filename": file, "type": "input"})
    assert answer.headers["content-type"] == kind
    assert answer.content == (DATA / "inputs" / file).read_bytes()


def test_view_defuses_active_content(comfy: Comfy) -> None:
    comfy.upload("suite.svg", b"<svg/>", overwrite="1")
    comfy.upload("suite.html", b"<html/>", overwrite="1")
    svg = comfy.http.get("/view", params={"filename": "suite.svg", "type": "input"}).headers
    html = comfy.http.get("/view", params={"filename": "suite.html", "type": "input"}).headers
    assert html["content-type"] == "application/octet-stream"
    hardened = comfy.has_jobs
    assert svg["content-type"] == ("application/octet-stream" if hardened else "image/svg+xml")
    assert svg["content-disposition"].startswith("attachment") is hardened


@pytest.mark.parametrize(
    ("query", "kind", "mode"),
    [
        ({"channel": "rgb"}, "image/png", "RGB"),
        ({"channel": "a"}, "image/png", "RGBA"),
        ({"preview": "webp;50"}, "image/webp", "RGBA"),
        ({"preview": "jpeg;80"}, "image/jpeg", "RGB"),
        ({"preview": "png;9"}, "image/webp", "RGBA"),
    ],
)
def test_view_encodes_again(comfy: Comfy, query: dict[str, str], kind: str, mode: str) -> None:
    answer = comfy.http.get("/view", params={"filename": "sticker_rgba.png", "type": "input", **query})
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    with Image.open(BytesIO(answer.content)) as image:
        assert (image.size, image.mode) == ((128, 128), mode)


def test_files_the_real_server_never_shows_stay_unseen(comfy: Comfy) -> None:
    refused = comfy.submit(
        {"1": node("LoadImage", image=f"{'../' * 20}etc/passwd"), "2": node("PreviewImage", images=["1", 0])}
    )
    if comfy.has_jobs:
        assert refused.post["node_errors"]["1"]["errors"][0]["type"] == "custom_validation_failed"
    else:
        kind, data = comfy.entry(refused.prompt_id)["status"]["messages"][-1]
        assert (kind, data["node_type"]) == ("execution_error", "LoadImage")
