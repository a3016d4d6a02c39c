"""Content types by bytes."""

import io
import json
import random
import zipfile

import pytest

from rushes.adapters.media.sniff import kind_of, sniff
from tests.integration.media.made import DATA, audio, saved, two_halves, video


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("TIFF", "image/tiff"),
        ("AVIF", "image/avif"),
        ("PDF", "application/pdf"),
    ],
)
def test_pictures(kind, expected):
    assert sniff(saved(two_halves(), kind), filename="lies.mp4") == expected


@pytest.mark.parametrize(
    ("container", "codec", "expected"),
    [
        ("mp4", "libx264", "video/mp4"),
        ("mov", "libx264", "video/quicktime"),
        ("matroska", "libx264", "video/x-matroska"),
        ("webm", "libvpx", "video/webm"),
        ("avi", "mpeg4", "video/x-msvideo"),
    ],
)
def test_videos(container, codec, expected):
    assert sniff(video(container, codec, frames=[two_halves()] * 2)) == expected


@pytest.mark.parametrize(
    ("container", "codec", "expected"),
    [
        ("wav", "pcm_s16le", "audio/wav"),
        ("flac", "flac", "audio/flac"),
        ("mp3", "libmp3lame", "audio/mpeg"),
        ("opus", "libopus", "audio/ogg"),
        ("ipod", "aac", "audio/mp4"),
        ("adts", "aac", "audio/aac"),
    ],
)
def test_sounds(container, codec, expected):
    assert sniff(audio(container, codec)) == expected


def test_mp3_without_tags():
    assert sniff(b"\xff\xfb\x90\x00" + bytes(500)) == "audio/mpeg"


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "b")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "expected", "kind"),
    [
        (b"Hello, w\xc3\xb6rld\n", "a.png", "text/plain", "text"),
        (b"\xef\xbb\xbfwith a mark", "", "text/plain", "text"),
        (b"The free range", "a.txt", "text/plain", "text"),
        (b"GIF is a format", "", "text/plain", "text"),
        (b"BM is short", "", "text/plain", "text"),
        (b'{"a": [1, 2]}', "a.txt", "application/json", "text"),
        (b"{not json}", "a.json", "text/plain", "text"),
        (b"[" * 50_000, "", "text/plain", "text"),
        (b'<?xml version="1.0"?>\n<!-- x --><svg xmlns="x"></svg>', "a.png", "image/svg+xml", "file"),
        (b"  <SVG >", "", "image/svg+xml", "file"),
        (b"<!DOCTYPE html><p>", "a.png", "text/html", "file"),
        (b"<script>alert(1)</script>", "a.jpg", "text/html", "file"),
        (b"mentions <script> somewhere", "", "text/plain", "text"),
        (b"glTF\x02\x00\x00\x00" + bytes(12), "", "model/gltf-binary", "model3d"),
        (b"v 0 0 0\nv 1 0 0\n", "a.obj", "model/obj", "model3d"),
        (b'{"asset": {}}', "a.gltf", "model/gltf+json", "model3d"),
        (bytes(84), "a.stl", "model/stl", "model3d"),
        (b"\x10\0\0\0\0\0\0\0" + b'{"a":{}}        ', "", "application/x-safetensors", "file"),
        (zipped(), "a.png", "application/zip", "file"),
        (b"", "a.png", "application/octet-stream", "file"),
        (b"\x00\x01\x02", "a.png", "application/octet-stream", "file"),
        (b"\xff\xfe\x00", "a.mp3", "application/octet-stream", "file"),
        (b"caf\xe9", "a.txt", "application/octet-stream", "file"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "a.mp4", "text/plain", "text"),
    ],
)
def test_others(content, name, expected, kind):
    assert sniff(content, filename=name) == expected
    assert kind_of(expected) == kind


def test_a_long_text_cut_within_a_character():
    assert sniff(("x" + "ä" * 40_000).encode()[: 64 * 1024]) == "text/plain"
    assert sniff(json.dumps(["x" * 70_000]).encode()[: 64 * 1024], filename="a.json") == "application/json"


def test_what_comfyui_writes():
    kinds = {path.name: kind_of(sniff(path.read_bytes())) for path in DATA.iterdir()}
    assert kinds["comfyui-0.33-latent.latent"] == "file"
    assert set(kinds.values()) == {"image", "video", "audio", "file"}


def test_noise_is_nothing():
    noise = random.Random(3)
    found = [sniff(noise.randbytes(200)) for _ in range(2000)]
    assert found.count("application/octet-stream") > 1980
