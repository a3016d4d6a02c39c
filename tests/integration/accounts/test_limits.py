"""Limits: exact under concurrency, counted as things come and go, told with their figures; overridden for a person."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.integration.app.database import app_database
from tests.integration.app.made import picture
from tests.integration.app.person import Json, Person, error_of
from tests.integration.app.stand import Stand

JOB = {"workflow_type": "sleep", "inputs": {"seconds": 0}}
MB = 1024**2


def limit(administrator: Person, person: Person, **limits: Json) -> None:
    answer = administrator.patch(f"/api/limits/{person.id}", json=limits)
    assert answer.status_code == 204, answer.text


def used(person: Person) -> Json:
    return person.get("/api/me").json()["use"]


def booked(place: Stand, person: Person) -> int:
    rows = place.sql("select bytes from rushes.user_bytes where user_id = %s", person.id)
    return int(rows[0][0]) if rows else 0


def really(place: Stand, person: Person) -> int:
    """Counted anew, from the rows."""
    uploads = place.sql("select size_bytes from uploads where user_id = %s", person.id)
    jobs = place.sql("select inputs, outputs from workflow_jobs where user_id = %s", person.id)
    return int(sum(size for (size,) in uploads) + sum(sizes(content) for job in jobs for content in job))


def sizes(content: Json) -> int:
    if isinstance(content, dict):
        own = content["size_bytes"] if "key" in content and "size_bytes" in content else 0
        return own + sum(map(sizes, content.values()))
    return sum(map(sizes, content)) if isinstance(content, list) else 0


@pytest.mark.parametrize("name", ["jobs_waiting", "jobs_per_day"])
def test_a_hundred_submits_at_once_at_a_limit_of_ten(
    place: Stand, anna: Person, administrator: Person, name: str
):
    limit(administrator, anna, **{name: 10})
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: anna.post("/api/jobs", json=JOB), range(100)))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [429] * 90
    refused = error_of(next(answer for answer in answers if answer.status_code == 429))
    assert refused["code"] == "quota_exceeded"
    assert refused["details"] == {"limit": name, "figure": 10, "used": 10}
    assert len(anna.get("/api/jobs", params={"scope": "mine", "limit": 200}).json()["data"]) == 10
    limit(administrator, anna, **{name: 11})
    assert anna.post("/api/jobs", json=JOB).status_code == 201


def test_uploads_at_once_at_a_limit_of_bytes(place: Stand, anna: Person, administrator: Person):
    limit(administrator, anna, bytes_stored=10 * MB)
    asked = {"filename": "a.bin", "size_bytes": MB}
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: anna.post("/api/uploads", json=asked), range(60)))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [413] * 50
    refused = error_of(next(answer for answer in answers if answer.status_code == 413))
    assert refused["code"] == "quota_exceeded"
    assert refused["details"] == {"limit": "bytes_stored", "figure": 10 * MB, "used": 10 * MB, "needed": MB}
    assert booked(place, anna) == really(place, anna) == 10 * MB
    place.sql("delete from uploads where id = %s", answers_id(answers))
    assert anna.post("/api/uploads", json=asked).status_code == 201
    assert anna.post("/api/uploads", json=asked).status_code == 413


def answers_id(answers: Json) -> str:
    return str(next(answer.json()["id"] for answer in answers if answer.status_code == 201))


def test_an_upload_holds_no_more_than_was_announced(place: Stand, anna: Person, administrator: Person):
    limit(administrator, anna, bytes_stored=MB)
    created = anna.post("/api/uploads", json={"filename": "a.txt", "size_bytes": 10}).json()
    answer = anna.put(created["put_url"], content=b"x" * 5 * MB)
    assert answer.status_code in (413, 422)
    answer = anna.put(created["put_url"], content=iter([b"x" * MB] * 5))
    assert answer.status_code in (413, 422), "without a Content-Length, too"
    assert booked(place, anna) == 10


def test_bytes_follow_jobs_and_files(place: Stand, anna: Person):
    image = picture()
    assert used(anna)["bytes_stored"] == 0
    reference = anna.uploaded("a.png", image)
    assert used(anna)["bytes_stored"] == len(image)
    job = anna.submit("img2img", {"image": reference, "prompt": "x"})["id"]
    assert used(anna)["bytes_stored"] == 2 * len(image), "the job keeps a copy of its own"
    place.sql(
        "update workflow_jobs set status = 'processing', attempt = 1, comfy_url = 'x' where id = %s", job
    )
    outputs = '{"files": [{"name": "a.png", "key": "k", "size_bytes": 1000}, {"name": "b", "key": "l", "size_bytes": 24}]}'
    place.sql(
        "update workflow_jobs set status = 'completed', outputs = %s::jsonb, result_urls = '[\"/storage/k\"]' where id = %s",
        outputs, job,
    )  # fmt: skip
    assert used(anna)["bytes_stored"] == 2 * len(image) + 1024 == really(place, anna)
    thumbed = outputs.replace('"key": "k"', '"key": "k", "thumb_key": "t"')
    place.sql("update workflow_jobs set outputs = %s::jsonb where id = %s", thumbed, job)
    assert used(anna)["bytes_stored"] == 2 * len(image) + 1024
    anna.delete(f"/api/jobs/{job}")
    assert used(anna)["bytes_stored"] == 2 * len(image) + 1024, "the trash counts until it is emptied"
    place.sql("delete from workflow_jobs where id = %s", job)
    assert used(anna)["bytes_stored"] == len(image)
    place.sql("delete from uploads where user_id = %s", anna.id)
    assert used(anna)["bytes_stored"] == 0


def test_an_account_that_goes_takes_its_figures_along(place: Stand, anna: Person):
    anna.submit("img2img", {"image": anna.uploaded("a.png", picture()), "prompt": "x"})
    place.sql("delete from auth.users where id = %s", anna.id)
    assert place.sql("select from rushes.user_bytes where user_id = %s", anna.id) == []


def test_a_form_is_refused_before_its_files_are_stored(place: Stand, anna: Person, administrator: Person):
    limit(administrator, anna, jobs_waiting=0)
    before = files(place)
    answer = anna.post(
        "/api/jobs", data={"workflow_type": "img2img", "prompt": "x"}, files={"image": ("a.png", picture())}
    )
    assert (answer.status_code, error_of(answer)["details"]["limit"]) == (429, "jobs_waiting")
    limit(administrator, anna, jobs_waiting=None, bytes_stored=len(picture()))
    answer = anna.post(
        "/api/jobs", data={"workflow_type": "img2img", "prompt": "x"}, files={"image": ("a.png", picture())}
    )
    assert (answer.status_code, error_of(answer)["details"]["limit"]) == (413, "bytes_stored")
    assert place.sql("select from workflow_jobs where user_id = %s", anna.id) == []
    assert {one for one in files(place) - before if "/uploads/" not in one} == set()


def files(place: Stand) -> set[str]:
    return {str(path) for path in place.storage.rglob("*") if path.is_file()}


def test_who_has_no_room_submits_nothing(place: Stand, anna: Person, administrator: Person):
    limit(administrator, anna, bytes_stored=0)
    answer = anna.post("/api/jobs", json=JOB)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "quota_exceeded")


def test_an_upload_size_of_ones_own(place: Stand, anna: Person, administrator: Person):
    asked = {"filename": "a.bin", "size_bytes": 60 * MB}
    answer = anna.post("/api/uploads", json=asked)
    assert (answer.status_code, error_of(answer)["code"]) == (413, "too_large")
    limit(administrator, anna, upload_bytes=100 * MB)
    assert anna.post("/api/uploads", json=asked).status_code == 201
    limit(administrator, anna, upload_bytes=MB)
    assert anna.post("/api/uploads", json=asked | {"size_bytes": 2 * MB}).status_code == 413


def test_limits_are_shown(place: Stand, anna: Person, administrator: Person):
    usual = anna.get("/api/limits").json()
    assert usual == {
        "bytes_stored": 20 * 1024**3, "jobs_per_day": 500, "jobs_waiting": 100, "jobs_running": 4,
        "upload_video_bytes": 500 * MB, "upload_other_bytes": 50 * MB,
    }  # fmt: skip
    anna.submit("sleep", {"seconds": 0})
    mine = anna.get("/api/me").json()
    assert mine["limits"]["jobs_waiting"] == 100
    assert mine["use"] == {"bytes_stored": 0, "jobs_per_day": 1, "jobs_waiting": 1, "jobs_running": 0}
    limit(administrator, anna, jobs_waiting=7, jobs_per_day="off")
    mine = anna.get("/api/me").json()
    assert (mine["limits"]["jobs_waiting"], mine["limits"]["jobs_per_day"]) == (7, None)
    limit(administrator, anna, jobs_waiting=None)
    assert anna.get("/api/me").json()["limits"]["jobs_waiting"] == 100
    assert administrator.get("/api/me").json()["limits"]["bytes_stored"] is None
    seen = administrator.get(f"/api/users/{anna.id}").json()
    assert (seen["use"]["jobs_waiting"], seen["limits"]["jobs_per_day"]) == (1, 2**31 - 1)


def test_limits_are_set_by_administrators(place: Stand, anna: Person, administrator: Person):
    path = f"/api/limits/{anna.id}"
    assert anna.patch(path, json={"jobs_waiting": 1000}).status_code == 403
    assert administrator.patch(f"/api/limits/{uuid4()}", json={"jobs_waiting": 1}).status_code == 404
    for body in (
        {},
        {"jobs_waiting": -1},
        {"jobs_waiting": "many"},
        {"jobs_waiting": 2**31},
        {"jobs": 1},
        {"jobs_waiting": 1.5},
    ):
        assert administrator.patch(path, json=body).status_code == 422, body


def test_no_limit_at_all(postgres_server: str, tmp_path):
    off: Json = dict.fromkeys(
        ("limit_stored_gb", "limit_jobs_per_day", "limit_jobs_waiting", "limit_jobs_running"), "off"
    )
    with app_database(postgres_server) as url, Stand(url, tmp_path, dispatchers=0, **off) as stand:
        person = stand.person()
        assert set(person.get("/api/me").json()["limits"].values()) == {None}
        person.upload("a.txt", b"hello")
