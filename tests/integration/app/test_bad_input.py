"""What can't be used is refused with the field's name and what to do, and leaves nothing behind."""

import io
import json
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from tests.integration.app.made import picture, sound
from tests.integration.app.person import Person, error_of
from tests.integration.app.stand import Stand

TABLES = (
    "workflow_jobs", "workflow_job_events", "workflow_prompts", "workflow_job_attempts", "uploads", "idempotency",
)  # fmt: skip


def everything(app: Stand) -> tuple[dict[str, int], set[Path]]:
    counts = ", ".join(f"(select count(*) from {name})" for name in TABLES)
    rows = dict(zip(TABLES, app.sql(f"select {counts}")[0], strict=True))
    # os.walk: a folder may go while it is looked at
    return rows, {Path(at) / name for at, _, names in os.walk(app.storage) for name in names}


@pytest.fixture(scope="module")
def carla(app: Stand) -> Person:
    return app.person()


@pytest.fixture
def untouched(app: Stand, carla: Person) -> Iterator[None]:
    """Nothing is stored by what happens in the test."""
    app.until_quiet()
    rows, files = everything(app)

    def added() -> tuple[dict[str, int], set[Path]]:
        # what an earlier test left may go meanwhile, by way of the outbox
        rows_now, files_now = everything(app)
        return rows_now, files_now - files

    yield
    until = time.monotonic() + 10
    while added() != (rows, set()) and time.monotonic() < until:
        time.sleep(0.05)  # files go by way of the outbox
    assert added() == (rows, set())


def refused(person: Person, body: object, status: int = 422) -> Any:
    """The faulty fields of a refused submit."""
    answer = person.post("/api/jobs", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    error = error_of(answer)
    for field, words in error["details"].get("fields", {}).items():
        assert field
        assert words
    return error["details"].get("fields", {})


@pytest.fixture(scope="module")
def image(carla: Person) -> Any:
    return carla.uploaded("a.png", picture())


@pytest.mark.usefixtures("untouched")
class TestSubmit:
    def test_unknown_workflow_names_near_ones(self, carla: Person):
        answer = carla.post("/api/jobs", json={"workflow_type": "img2ing", "inputs": {}})
        assert (answer.status_code, error_of(answer)["code"]) == (404, "unknown_workflow")
        assert "img2img" in error_of(answer)["message"]
        for name in ("", "x" * 100, "../img2img", "a\x00b", "IMG2IMG", "🎬"):
            assert carla.post("/api/jobs", json={"workflow_type": name, "inputs": {}}).status_code == 404

    @pytest.mark.parametrize(
        ("inputs", "field"),
        [
            ({"prompt": None}, "prompt"), ({"prompt": ""}, "prompt"), ({"prompt": 5}, "prompt"),
            ({"prompt": ["x"]}, "prompt"), ({"prompt": "x" * 100_001}, "prompt"), ({"prompt": "a\x00b"}, "prompt"),
            ({"image": None}, "image"), ({"image": "a.png"}, "image"), ({"image": {}}, "image"),
            ({"image": {"upload_id": "x"}}, "image"), ({"image": {"upload_id": str(uuid4())}}, "image"),
            ({"image": {"key": "../../etc/passwd"}}, "image"), ({"image": {"key": "a\x00"}}, "image"),
            ({"image": {"key": "uploads/x/y/z.png"}}, "image"), ({"image": {"key": 5}}, "image"),
            ({"image": {"filename": "a", "key": "x", "content_type": "image/png"}}, "image"),
            ({"denoise": 1.01}, "denoise"), ({"denoise": -0.1}, "denoise"), ({"denoise": "0.5"}, "denoise"),
            ({"denoise": True}, "denoise"), ({"denoise": 0.555}, "denoise"), ({"denoise": 10**400}, "denoise"),
            ({"steps": 0}, "steps"), ({"steps": 1.5}, "steps"), ({"steps": 101}, "steps"),
            ({"seed": -1}, "seed"), ({"seed": 2**64}, "seed"), ({"seed": "7"}, "seed"),
            ({"promt": "x"}, "promt"), ({"a.b\x00": 1}, "a.b\x00"), ({"": 1}, ""),
        ],
    )  # fmt: skip
    def test_inputs(self, carla: Person, image, inputs, field):
        body = {"workflow_type": "img2img", "inputs": {"image": image, "prompt": "x", **inputs}}
        answer = carla.post("/api/jobs", json=body)
        assert answer.status_code == 422, answer.text
        assert list(error_of(answer)["details"]["fields"]) == [field]
        assert error_of(answer)["details"]["field"] == field

    def test_all_faults_at_once(self, carla: Person):
        speakers = [{"audio": {"key": "x"}}, {"mask": 5}, "x"]
        inputs = {"speakers": speakers, "width": 100_000, "unknown": 1}
        fields = refused(carla, {"workflow_type": "lipsync-multi", "inputs": inputs})
        assert {"speakers.0.audio", "speakers.1.mask"} <= set(fields)
        speakers = [{}, "x"]
        fields = refused(
            carla, {"workflow_type": "lipsync-multi", "inputs": {**inputs, "speakers": speakers}}
        )
        assert set(fields) == {
            "image", "speakers.0.mask", "speakers.0.audio", "speakers.1", "width", "unknown",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("more", "field"),
        [
            ({"title": "x" * 301}, "title"), ({"title": "a\x00"}, "title"), ({"priority": 16}, "priority"),
            ({"priority": -1}, "priority"), ({"priority": "5"}, "priority"), ({"priority": 5.5}, "priority"),
            ({"visibility": "secret"}, "visibility"), ({"deadline": "soon"}, "deadline"),
            ({"deadline": "2020-01-01T00:00:00Z"}, "deadline"), ({"deadline": "2999-01-01T00:00:00"}, "deadline"),
            ({"deadline": "9999-12-31T23:59:59-23:59"}, "deadline"), ({"deadline": 1e300}, "deadline"),
            ({"metadata": []}, "metadata"), ({"metadata": {"a": "\x00"}}, "metadata"),
            ({"metadata": {"\x00": 1}}, "metadata"), ({"metadata": {"a": [{"b": "x\x00"}]}}, "metadata"),
            ({"parent_id": "x"}, "parent_id"), ({"parent_id": str(uuid4())}, "parent_id"),
            ({"tags": "x"}, "tags"), ({"tags": [""]}, "tags.0"), ({"tags": ["x"] * 51}, "tags"),
            ({"tags": ["x" * 50] * 50 + ["\x00"]}, "tags"),
            ({"preview": "yes please"}, "preview"), ({"inputs": []}, "inputs"), ({"workflow": "x"}, "workflow"),
        ],
    )  # fmt: skip
    def test_the_rest(self, carla: Person, image, more, field):
        body = {"workflow_type": "img2img", "inputs": {"image": image, "prompt": "x"}, **more}
        assert list(refused(carla, body)) == [field]

    def test_metadata_has_a_size(self, carla: Person, image):
        body = {
            "workflow_type": "img2img",
            "inputs": {"image": image, "prompt": "x"},
            "metadata": {"a": "x" * 100_000},
        }
        assert list(refused(carla, body)) == ["metadata"]

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"NaN", b'{"workflow_type": NaN}',
         b'{"workflow_type": "x", "inputs": ' + b"[" * 940 + b"]" * 940 + b"}", b"9" * 5000, b"\x00", b"{'a': 1}",
         b'{"workflow_type": "x"} x', b'{"workflow_type":"\xed\xa0\x80"}'],
    )  # fmt: skip
    def test_no_json(self, carla: Person, body: bytes):
        for method, path in (
            ("POST", "/api/jobs"),
            ("POST", "/api/uploads"),
            ("PATCH", f"/api/jobs/{uuid4()}"),
        ):
            answer = carla.request(method, path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422), (path, answer.text)
            assert error_of(answer)["code"] in ("invalid_request", "invalid_input")

    @pytest.mark.parametrize(
        "depth", [150, 190, 199, 200, 201, 230, 300, 500, 800, 900, 950, 990, 1000, 5000]
    )
    def test_deep_nesting_is_refused_in_words(self, carla: Person, depth: int):
        deep = "[" * depth + "]" * depth
        for body in (
            f'{{"workflow_type": "img2img", "inputs": {{"prompt": {deep}}}}}',
            f'{{"workflow_type": "img2img", "metadata": {{"a": {deep}}}, "inputs": {{}}}}',
            f'{{"title": {deep}}}',
        ):
            answer = carla.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422), answer.text
            assert error_of(answer)

    @pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "1" + "0" * 4000, "0.1e-400"])
    def test_odd_numbers(self, carla: Person, number: str):
        for body in (
            f'{{"workflow_type": "img2img", "inputs": {{"denoise": {number}}}}}',
            f'{{"workflow_type": "img2img", "inputs": {{}}, "priority": {number}}}',
        ):
            answer = carla.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422), answer.text

    @pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity"])
    def test_numbers_that_json_has_not(self, carla: Person, number: str):
        body = f'{{"workflow_type": "sleep", "inputs": {{}}, "metadata": {{"a": [{number}]}}}}'
        answer = carla.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), answer.text

    def test_lone_surrogates(self, carla: Person, image):
        for body in (
            {"workflow_type": "img2img", "inputs": {"image": image, "prompt": "a\ud800b"}},
            {"workflow_type": "img2img", "inputs": {"image": image, "prompt": "a"}, "title": "\udfff"},
            {
                "workflow_type": "img2img",
                "inputs": {"image": image, "prompt": "a"},
                "metadata": {"a": "\ud800"},
            },
            {"workflow_type": "img2img", "inputs": {"image": image, "prompt": "a"}, "tags": ["\ud800"]},
            {"workflow_type": "\ud800", "inputs": {}},
            {"workflow_type": "img2img", "inputs": {"\ud800": 1}},
        ):
            answer = carla.post(
                "/api/jobs", content=json.dumps(body), headers={"Content-Type": "application/json"}
            )
            assert answer.status_code in (400, 404, 422), answer.text
            assert error_of(answer)
        answer = carla.patch(
            f"/api/jobs/{uuid4()}",
            content=json.dumps({"title": "\ud800"}),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 422

    def test_other_types_of_body(self, carla: Person):
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/mixed"):
            answer = carla.post("/api/jobs", content=b"workflow_type=img2img", headers={"Content-Type": kind})
            assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_media_type")

    def test_fifty_megabytes_of_json(self, carla: Person):
        body = json.dumps({"workflow_type": "img2img", "inputs": {"prompt": "x" * 50_000_000}}).encode()
        answer = carla.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")
        assert "/api/uploads" in error_of(answer)["message"]

    def test_too_much_that_was_not_announced(self, carla: Person):
        def pieces() -> Iterator[bytes]:
            yield b'{"workflow_type": "img2img", "inputs": {"prompt": "'
            for _ in range(60):
                yield b"x" * 50_000
            yield b'"}}'

        for method, path in (
            ("POST", "/api/jobs"),
            ("POST", "/api/uploads"),
            ("PATCH", f"/api/jobs/{uuid4()}"),
        ):
            answer = carla.request(
                method, path, content=pieces(), headers={"Content-Type": "application/json"}
            )
            assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large"), path

    @pytest.mark.parametrize(
        "path", ["x", "0", "%00", "..", "' or 1=1", "é", "00000000-0000-0000-0000-00000000000g"]
    )
    def test_ids_that_are_none(self, carla: Person, path: str):
        for method, rest in (
            ("GET", ""),
            ("GET", "/graph"),
            ("POST", "/cancel"),
            ("DELETE", ""),
            ("PATCH", ""),
        ):
            answer = carla.request(
                method, f"/api/jobs/{path}{rest}", json={"title": "x"} if method == "PATCH" else None
            )
            assert answer.status_code in (404, 405, 422), (method, rest, answer.text)
            error_of(answer)

    def test_ids_that_are_nobodys(self, carla: Person):
        for job in (str(uuid4()), "00000000-0000-0000-0000-000000000000"):
            for method, rest in (
                ("GET", ""), ("GET", "/graph"), ("GET", "/attempts"), ("GET", "/events"), ("POST", "/cancel"),
                ("DELETE", ""), ("PATCH", ""), ("POST", "/restore"),
            ):  # fmt: skip
                body = {"title": "x"} if method == "PATCH" else None
                answer = carla.request(method, f"/api/jobs/{job}{rest}", json=body)
                assert (answer.status_code, error_of(answer)["code"]) == (404, "not_found")


@pytest.mark.usefixtures("untouched")
class TestForm:
    def form(self, person: Person, data: dict, files: list | None = None):
        return person.post(
            "/api/jobs",
            data={"workflow_type": "img2img", **data},
            files=files or [("image", ("a.png", b"", "image/png"))],
        )

    def test_an_empty_file(self, carla: Person):
        answer = self.form(carla, {"prompt": "x"})
        assert answer.status_code == 422
        assert list(error_of(answer)["details"]["fields"]) == ["image"]
        assert "empty" in error_of(answer)["message"]

    def test_a_file_that_is_not_what_it_says(self, carla: Person):
        for name, content, kind in (
            ("a.png", b"hello, I am a picture", "image/png"),
            ("a.png", sound(), "image/png"),
            ("a.png", picture()[:200], "image/png"),
            ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png"),
        ):
            answer = self.form(carla, {"prompt": "x"}, [("image", (name, content, kind))])
            assert answer.status_code == 422, answer.text
            assert list(error_of(answer)["details"]["fields"]) == ["image"], answer.text

    def test_names_of_fields(self, carla: Person):
        file = ("a.png", picture(), "image/png")
        for name in (
            "speakers",
            "speakers.0",
            "image.0.1",
            "x" * 500,
            "a.b.c.d",
            "..",
            "",
            ".",
            "image.x",
            "prompt.5",
        ):
            answer = self.form(carla, {"prompt": "x"}, [(name, file)])
            assert answer.status_code in (400, 422), (name, answer.text)
            error_of(answer)
        for name in (
            "prompt" + ".0" * 3000, "images." + "9" * 4500, "speakers." + "9" * 10, "speakers" + ".999" * 500,
            "a" + ".b" * 3500,
        ):  # fmt: skip
            answer = self.form(carla, {name: "x"}, [("image", file)])
            assert answer.status_code in (400, 422), (name[:40], answer.text[:300])
            error_of(answer)

    def test_fields_as_json(self, carla: Person):
        for data in (
            {"tags": "x"}, {"metadata": "{"}, {"priority": "high"}, {"preview": "maybe"}, {"metadata": "[" * 100_000},
            {"tags": "[" * 100_000}, {"speakers": "[" * 100_000}, {"denoise": "9" * 5000}, {"seed": "9" * 5000},
            {"deadline": "tomorrow"}, {"denoise": "nan"}, {"denoise": "1e999"}, {"prompt": "a\x00b"},
        ):  # fmt: skip
            answer = self.form(carla, data)
            assert answer.status_code in (400, 422), (data, answer.text)
            error_of(answer)
        answer = carla.post(
            "/api/jobs",
            data={"workflow_type": "lipsync-multi", "speakers": "[" * 100_000},
            files={"image": ("a.png", b"", "image/png")},
        )
        assert answer.status_code in (400, 422)

    @pytest.mark.parametrize(
        "body",
        [b"", b"--b", b"--b\r\n\r\n", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--", b"x" * 1000,
         b'--b\r\nContent-Disposition: form-data; name="workflow_type"\r\n\r\nimg2img'],
    )  # fmt: skip
    def test_forms_that_are_none(self, carla: Person, body: bytes):
        for kind in ("multipart/form-data; boundary=b", "multipart/form-data"):
            answer = carla.post("/api/jobs", content=body, headers={"Content-Type": kind})
            assert answer.status_code in (400, 422), answer.text
            error_of(answer)

    def test_too_many_parts(self, carla: Person):
        answer = self.form(carla, {f"x{n}": "1" for n in range(1100)})
        assert answer.status_code == 400
        error_of(answer)


class TestUploads:
    @pytest.mark.parametrize(
        ("filename", "words"),
        [("", "empty"), ("  ", "empty"), ("a" * 300, "300"), ("../a.png", "path"), ("a/b.png", "path"),
         ("a\\b.png", "path"), ("a\x00.png", "U+0000"), ("🎬.png", "U+1F3AC"), ("a\nb.png", "U+000A")],
    )  # fmt: skip
    def test_names(self, app: Stand, carla: Person, untouched, filename: str, words: str):
        answer = carla.post("/api/uploads", json={"filename": filename, "size_bytes": 5})
        assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid_input"), answer.text
        assert error_of(answer)["details"]["field"] == "filename"
        assert words in error_of(answer)["message"]

    @pytest.mark.parametrize(
        "filename",
        [
            "..",
            ".",
            "...",
            "a.png.",
            ".hidden",
            "CON",
            "-rf",
            "a b  c.PNG",
            "%2e%2e%2f",
            "日本語.png",
            "é" * 255,
        ],
    )
    def test_odd_names_become_plain_keys(self, app: Stand, carla: Person, filename: str):
        stored = carla.upload(filename, picture())
        assert stored["filename"] == filename
        key = stored["url"].removeprefix("/storage/")
        assert key.startswith(f"uploads/{carla.id}/{stored['id']}/")
        assert (app.storage / key).read_bytes() == picture()
        assert carla.get(stored["url"]).content == picture()

    def test_sizes(self, carla: Person, untouched):
        for size, status, code in (
            (0, 422, "invalid_file"), (-1, 422, "invalid_file"), (51 * 1024**2, 413, "too_large"), (2**53, 413, "too_large"),
            (2**53 + 1, 422, "invalid_input"), ("5", 422, "invalid_input"), (1.5, 422, "invalid_input"), (None, 422, "invalid_input"),
            (10**400, 422, "invalid_input"),
        ):  # fmt: skip
            answer = carla.post(
                "/api/uploads",
                content=json.dumps({"filename": "a.png", "size_bytes": size}),
                headers={"Content-Type": "application/json"},
            )
            assert (answer.status_code, error_of(answer)["code"]) == (status, code), (size, answer.text)
        video = {"filename": "a.mp4", "size_bytes": 501 * 1024**2}
        answer = carla.post("/api/uploads", json=video)
        assert (answer.status_code, error_of(answer)["details"]["limit_bytes"]) == (413, 500 * 1024**2)

    @pytest.mark.parametrize(
        ("filename", "announced", "content", "kind"),
        [
            ("a.png", 100, b"x" * 99, None), ("a.png", 100, b"x" * 101, None), ("a.png", 5, b"", None),
            ("a.png", 10, b"not a png!", "image/png"), ("a.png", None, sound(), "image/png"),
            ("a.png", None, picture()[:150], None), ("a.wav", None, picture(), "audio/wav"),
            ("a.mp4", None, b"\0\0\0\x18ftypmp42" + b"\0" * 200, "video/mp4"),
        ],
    )  # fmt: skip
    def test_bytes(self, app: Stand, carla: Person, filename: str, announced, content: bytes, kind):
        files = everything(app)[1]
        body = {"filename": filename, "size_bytes": announced or len(content), "content_type": kind}
        created = carla.post("/api/uploads", json=body).json()
        answer = carla.put(created["put_url"], content=content)
        assert answer.status_code == 422, answer.text
        assert error_of(answer)["code"] in ("invalid_file", "invalid_input")
        assert everything(app)[1] <= files  # doubles of other tests may go meanwhile
        assert app.sql("select status from uploads where id = %s", created["id"]) == [("waiting",)]
        body = {"workflow_type": "img2img", "inputs": {"image": {"upload_id": created["id"]}, "prompt": "x"}}
        assert list(refused(carla, body)) == ["image"]

    def test_a_picture_that_is_a_bomb(self, app: Stand, carla: Person):
        """A small file that says it is 30,000 pixels wide and high."""
        header = b"IHDR" + (30_000).to_bytes(4) * 2 + b"\x08\x02\x00\x00\x00"
        bomb = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\x0d" + header + zlib.crc32(header).to_bytes(4)
        data = b"IDAT" + zlib.compress(b"\0" * 10_000)
        bomb += (len(data) - 4).to_bytes(4) + data + zlib.crc32(data).to_bytes(4)
        bomb += b"\x00\x00\x00\x00IEND\xaeB`\x82"
        created = carla.post("/api/uploads", json={"filename": "bomb.png", "size_bytes": len(bomb)}).json()
        answer = carla.put(created["put_url"], content=bomb)
        assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid_file")

    def test_once_only(self, carla: Person):
        stored = carla.upload("a.png", picture())
        answer = carla.put(f"/api/uploads/{stored['id']}/content", content=picture())
        assert (answer.status_code, error_of(answer)["code"]) == (409, "conflict")

    def test_a_picture_where_a_voice_belongs(self, app: Stand, carla: Person, image):
        before = everything(app)
        fields = refused(carla, {"workflow_type": "lipsync-one", "inputs": {"image": image, "audio": image}})
        assert list(fields) == ["audio"]
        assert "image/png" in fields["audio"]
        assert everything(app) == before


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=" + "9" * 5000, "limit"),
     ("status=done", "status.0"), ("scope=theirs", "scope"), ("created_after=yesterday", "created_after"),
     ("created_after=2020-01-01T00:00:00", "created_after"), ("rating_min=6", "rating_min"), ("kind=x", "kind.0"),
     ("q=a%00b", "q"), ("tag=%00", "tag"), ("workflow_type=%00", "workflow_type.0"), ("job_id=%00", "job_id"),
     ("q=" + "x" * 501, "q"), ("trash=maybe", "trash")],
)  # fmt: skip
def test_queries(carla: Person, query: str, field: str):
    for path in ("/api/jobs", "/api/jobs/counts"):
        if field == "limit" and path.endswith("counts"):
            continue
        answer = carla.get(f"{path}?{query}")
        assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid_input"), answer.text
        assert list(error_of(answer)["details"]["fields"]) == [field]


@pytest.mark.parametrize(
    "query",
    ["created_after=0001-01-01T00:00:00%2B23:59", "created_before=9999-12-31T23:59:59-23:59", "q=%ff%fe",
     "created_after=9999-12-31T23:59:59-23:59", "created_before=0001-01-01T00:00:00Z", "q=%ED%A0%80", "q=%26%7C!%3A*()",
     "q=%22", "q=-", "q=%27%5C", "job_id=x", "tag=%F0%9F%8E%AC", "workflow_type=nothing", "unknown=1", "created_after=1e10"],
)  # fmt: skip
def test_queries_that_find_nothing_or_something(carla: Person, query: str):
    for path in ("/api/jobs", "/api/jobs/counts"):
        answer = carla.get(f"{path}?{query}")
        assert answer.status_code in (200, 422), answer.text


AWKWARD = (
    "quotes \" ' ` “” \\ \\n \\u0000 {{WIDTH}} {{ prompt }} $& $1 ${HOME} True, None, %s %(x)s "
    + "".join(map(chr, [*range(1, 32), 127, 0x85, 0x2028, 0xFEFF, 0xFFFF]))
    + " 🎬👩‍👩‍👧 é e\u0301 \u202e </script> {a|b} // # --"
)


def test_a_prompt_arrives_character_for_character(app: Stand, carla: Person, image):
    body = json.dumps(
        {"workflow_type": "img2img", "inputs": {"image": image, "prompt": AWKWARD, "negative": "{{x}}\\"}}
    )
    job = carla.post("/api/jobs", content=body, headers={"Content-Type": "application/json"}).json()
    assert job["inputs"]["prompt"] == AWKWARD
    assert carla.completed(job["id"])["inputs"]["prompt"] == AWKWARD
    graph = carla.sent_graph(job["id"])
    assert graph["2"]["inputs"]["value"] == AWKWARD
    assert graph["3"]["inputs"]["value"] == "{{x}}\\"
    assert carla.get("/api/jobs", params={"scope": "mine", "q": "WIDTH"}).json()["data"][0]["id"] == job["id"]


def test_pictures_that_are_unusual_and_good(carla: Person):
    for mode, kind in (
        ("RGBA", "PNG"),
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("P", "GIF"),
        ("RGB", "BMP"),
        ("1", "TIFF"),
        ("RGB", "WEBP"),
    ):
        buffer = io.BytesIO()
        Image.new(mode, (33, 21)).save(buffer, kind)
        stored = carla.upload(f"a.{kind.lower()}", buffer.getvalue())
        assert (stored["kind"], stored["width"], stored["height"]) == ("image", 33, 21), (mode, kind)
