"""Jobs over the API: made, listed, read, changed, cancelled, deleted."""

import os
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.integration.app.made import picture, sound
from tests.integration.app.person import Person, error_of
from tests.integration.app.stand import Stand

CARD = {
    "id", "job_id", "user_id", "workflow_type", "workflow_name", "workflow_version", "status", "version",
    "created_at", "updated_at", "started_at", "completed_at", "processing_time_seconds", "inputs", "outputs",
    "result_urls", "prompt_text", "error_code", "error_message", "priority", "attempt", "max_attempts",
    "cancel_requested_at", "waiting_reason", "batch_id", "deadline_at", "available_at", "visibility", "title",
    "rating", "tags", "parent_id", "deleted_at", "expires_at", "model_used", "origin", "progress",
}  # fmt: skip
HIDDEN = {"comfy_url", "error_details", "metadata", "user_ip", "idempotency_key", "legacy_row"}
COMFY = {"comfyui_output_filename", "comfyui_output_subfolder", "comfyui_output_type"}


def test_a_job_from_json_to_its_file(app: Stand, anna: Person):
    upload = anna.upload("Grüße aus Köln.png", picture())
    assert (upload["kind"], upload["content_type"], upload["width"], upload["height"]) == (
        "image",
        "image/png",
        96,
        64,
    )
    answer = anna.post(
        "/api/jobs",
        json={
            "workflow_type": "img2img",
            "inputs": {"image": {"upload_id": upload["id"]}, "prompt": "a fox", "seed": 7},
            "title": "Fox",
            "priority": 9,
            "visibility": "team",
            "metadata": {"from": "a test"},
            "tags": ["one", "two"],
        },
    )
    assert answer.status_code == 201
    job = answer.json()
    assert set(job) == CARD | COMFY | HIDDEN
    assert answer.headers["location"] == f"/api/jobs/{job['id']}"
    assert answer.headers["content-type"] == "application/json"
    assert UUID(job["id"]).version == 7
    assert (job["user_id"], job["workflow_type"], job["workflow_name"]) == (
        anna.id,
        "img2img",
        "preview.json",
    )
    assert (job["title"], job["priority"], job["visibility"], job["tags"]) == (
        "Fox",
        9,
        "team",
        ["one", "two"],
    )
    assert (job["prompt_text"], job["metadata"], job["user_ip"]) == ("a fox", {"from": "a test"}, "127.0.0.1")
    image = job["inputs"]["image"]
    assert image["filename"] == "Grüße aus Köln.png"
    assert image["key"] == f"workflows/img2img/{job['id']}/input.png"
    assert (image["size_bytes"], image["sha256"]) == (len(picture()), upload["sha256"])
    assert (app.storage / image["key"]).read_bytes() == picture()
    assert (job["inputs"]["denoise"], job["inputs"]["seed"]) == (0.87, 7)

    done = anna.completed(job["id"])
    assert datetime.fromisoformat(done["completed_at"]).tzinfo is not None
    assert done["processing_time_seconds"] is not None
    (file,) = done["outputs"]["files"]
    assert file["name"] == "output.png"
    assert file["key"] == f"workflows/img2img/{job['id']}/output.png"
    assert done["result_urls"] == [f"/storage/{file['key']}"] == [file["url"]]
    assert (file["kind"], file["width"], file["height"]) == ("image", 96, 64)
    assert done["comfyui_output_type"] == "output"
    assert done["comfyui_output_subfolder"] == f"rushes/{job['id']}"
    assert anna.get(file["url"]).content == (app.storage / file["key"]).read_bytes()


def test_the_answer_to_a_submit_is_what_asking_for_the_job_gives(anna: Person):
    job = anna.submit(
        "wan-i2v", {"image": {"upload_id": anna.upload("a.png", picture())["id"]}, "prompt": "wait"}
    )
    later = anna.job(job["id"])
    moves = {"status", "version", "updated_at", "started_at", "attempt", "progress", "comfy_url", "completed_at",
             "processing_time_seconds", "outputs", "result_urls", "waiting_reason"} | COMFY  # fmt: skip
    assert {name: job[name] for name in job if name not in moves} == {
        name: later[name] for name in later if name not in moves
    }
    assert (job["status"], job["outputs"], job["result_urls"]) == ("pending", None, [])


def test_a_result_is_the_input_of_the_next_job(app: Stand, anna: Person, bert: Person):
    first = anna.completed(
        anna.submit("img2img", {"image": anna.uploaded("a.png", picture()), "prompt": "x"})["id"]
    )
    key = first["outputs"]["files"][0]["key"]
    again = anna.submit("img2img", {"image": {"key": key}, "prompt": "y"}, parent_id=first["id"])
    assert again["parent_id"] == first["id"]
    assert again["inputs"]["image"]["key"] == f"workflows/img2img/{again['id']}/input.png"
    assert again["inputs"]["image"]["sha256"] == first["outputs"]["files"][0]["sha256"]
    body = {"workflow_type": "img2img", "inputs": {"image": {"key": key}, "prompt": "y"}}
    assert "inputs" not in error_of(bert.post("/api/jobs", json=body))["details"]
    fields = error_of(bert.post("/api/jobs", json=body))["details"]["fields"]
    assert set(fields) == {"image"}
    fields = error_of(bert.post("/api/jobs", json={**body, "inputs": {}, "parent_id": first["id"]}))[
        "details"
    ]["fields"]
    assert set(fields) == {"parent_id"}


def test_a_form_with_files_of_a_group(anna: Person):
    answer = anna.post(
        "/api/jobs",
        data={
            "workflow_type": "lipsync-multi",
            "title": "Two",
            "priority": "7",
            "tags": '["a"]',
            "width": "256",
            "height": "256",
            "seed": "11",
            "prompt": 'True, "{{WIDTH}}"',
        },
        files=[
            ("image", ("group.png", picture(256, 256), "image/png")),
            ("speakers.0.audio", ("one.wav", sound(0.3), "audio/wav")),
            ("speakers.0.mask", ("one.png", picture(256, 256), "image/png")),
            ("speakers.1.mask", ("two.png", picture(256, 256), "image/png")),
            ("speakers.1.audio", ("two.wav", sound(0.2), "audio/wav")),
        ],
    )
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert (job["title"], job["priority"], job["tags"]) == ("Two", 7, ["a"])
    assert (job["inputs"]["width"], job["inputs"]["seed"]) == (256, 11)
    assert job["inputs"]["prompt"] == 'True, "{{WIDTH}}"'
    folder = f"workflows/lipsync-multi/{job['id']}"
    assert [speaker["audio"]["key"] for speaker in job["inputs"]["speakers"]] == [
        f"{folder}/input_audio_1.wav",
        f"{folder}/input_audio_2.wav",
    ]
    assert job["inputs"]["speakers"][1]["mask"]["filename"] == "two.png"


def test_a_form_with_a_list_of_files_keeps_their_order(anna: Person):
    files = [("images", (f"{n}.png", picture(40 + n, 40), "image/png")) for n in range(4)]
    answer = anna.post(
        "/api/jobs", data={"workflow_type": "character-caption", "name_character": "true"}, files=files
    )
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert [image["filename"] for image in job["inputs"]["images"]] == [f"{n}.png" for n in range(4)]
    assert job["inputs"]["name_character"] is True
    done = anna.completed(job["id"])
    assert done["result_urls"] == []
    assert [text["item"] for text in done["outputs"]["texts"]] == [1, 2, 3, 4]
    assert [f"{40 + n} × 40" in text["text"] for n, text in enumerate(done["outputs"]["texts"])] == [True] * 4


def test_form_uploads_are_taken_away_again(app: Stand, anna: Person):
    files = {"image": ("a.png", picture(), "image/png")}
    anna.post("/api/jobs", data={"workflow_type": "img2img", "prompt": "x"}, files=files)
    refused = anna.post("/api/jobs", data={"workflow_type": "img2img", "denoise": "7"}, files=files)
    assert set(error_of(refused)["details"]["fields"]) == {"prompt", "denoise"}
    assert app.sql("select id from uploads where user_id = %s", anna.id) == []
    until = time.monotonic() + 90  # by way of the outbox, behind what other tests left in it
    # os.walk: a folder may go while it is looked at
    while left := [name for _, _, names in os.walk(app.storage / "uploads" / anna.id) for name in names]:
        assert time.monotonic() < until, (left, app.sql("select now(), o from storage_outbox as o limit 20"))
        time.sleep(0.05)


def test_pages_go_through_everything_once(app: Stand, anna: Person, bert: Person):
    made = [anna.submit("sleep", {"seconds": 0}, tags=["paged"] if n % 2 else [])["id"] for n in range(7)]
    bert.submit("sleep", {"seconds": 0})
    seen, after = [], None
    while True:
        params = {"scope": "mine", "limit": "3"} | ({"after": after} if after else {})
        page = anna.get("/api/jobs", params=params).json()
        assert set(page) == {"data", "pagination"}
        assert set(page["data"][0]) == CARD
        seen += [job["id"] for job in page["data"]]
        after = page["pagination"]["next_cursor"]
        assert page["pagination"]["has_more"] is (after is not None)
        if after is None:
            break
    assert seen == made[::-1]
    tagged = anna.get("/api/jobs", params={"tag": "paged"}).json()["data"]
    assert [job["id"] for job in tagged] == made[5::-2]


@pytest.mark.parametrize("broken", ["x", "AAAA", "%00", "é", "A" * 32, "A" * 199, "../..", "="])
def test_a_broken_cursor_is_refused(anna: Person, broken: str):
    answer = anna.get("/api/jobs", params={"after": broken})
    assert (answer.status_code, error_of(answer)["code"]) == (400, "invalid_cursor")


def test_a_cursor_belongs_to_its_list(anna: Person):
    for _ in range(3):
        anna.submit("sleep", {"seconds": 0})
    cursor = anna.get("/api/jobs", params={"limit": 1}).json()["pagination"]["next_cursor"]
    for other in ({"scope": "mine"}, {"workflow_type": "sleep"}, {"q": "fox"}, {"trash": True}):
        answer = anna.get("/api/jobs", params={"limit": 1, "after": cursor, **other})
        assert (answer.status_code, error_of(answer)["code"]) == (400, "invalid_cursor"), other


def test_filters_combine_and_counts_agree(anna: Person):
    image = anna.uploaded("a.png", picture())
    fox = anna.submit("img2img", {"image": image, "prompt": "a quick fox"}, title="Fox", tags=["x"])["id"]
    hare = anna.submit("img2img", {"image": image, "prompt": "a slow hare"}, tags=["x"])["id"]
    sleep = anna.submit("sleep", {"seconds": 0}, title="fox asleep")["id"]
    for job_id in (fox, hare, sleep):
        anna.completed(job_id)
    assert anna.patch(f"/api/jobs/{hare}", json={"rating": 4}).status_code == 200

    def found(**filters) -> set[str]:
        return {
            job["id"] for job in anna.get("/api/jobs", params={"scope": "mine", **filters}).json()["data"]
        }

    assert found(workflow_type="img2img") == {fox, hare}
    assert found(workflow_type=["img2img", "sleep"]) == {fox, hare, sleep}
    assert found(q="fox") == {fox, sleep}
    assert found(q="fox -asleep") == {fox}
    assert found(q='"slow hare"', tag="x") == {hare}
    assert found(rating_min=4) == {hare}
    assert found(kind="image", q="asleep") == {sleep}
    assert found(kind="video") == set()
    assert found(status=["failed", "cancelled"]) == set()
    assert found(job_id=sleep) == {sleep}
    assert found(created_after=(datetime.now(UTC) + timedelta(minutes=1)).isoformat()) == set()
    assert found(created_before=(datetime.now(UTC) + timedelta(minutes=1)).isoformat()) == {fox, hare, sleep}
    counts = anna.get("/api/jobs/counts", params={"scope": "mine", "q": "fox"}).json()["data"]
    assert counts["total"] == {"count": 2, "more": False}
    assert counts["workflow_type"] == {
        "img2img": {"count": 1, "more": False},
        "sleep": {"count": 1, "more": False},
    }
    assert counts["status"] == {"completed": {"count": 2, "more": False}}


def test_graph_attempts_and_events(app: Stand, anna: Person, bert: Person):
    job = anna.submit("sleep", {"seconds": 0, "seed": 5}, visibility="public")
    done = anna.completed(job["id"])
    graph = anna.get(f"/api/jobs/{job['id']}/graph").json()
    assert set(graph) == {"graph", "prompt_id", "attempt"}
    assert graph["prompt_id"] == done["job_id"]
    assert graph["graph"]["1"]["inputs"]["seed"] == 5
    assert graph["graph"]["2"]["inputs"]["filename_prefix"] == f"rushes/{job['id']}/output"
    (attempt,) = anna.attempts(job["id"])
    assert (attempt["number"], attempt["outcome"], attempt["prompt_id"]) == (1, "completed", done["job_id"])
    assert attempt["comfy_url"] == app.comfy_urls[0]
    assert attempt["started_at"] <= attempt["submitted_at"] <= attempt["ended_at"]
    events = anna.get(f"/api/jobs/{job['id']}/events").json()["data"]
    assert [event["kind"] for event in events[:2]] == ["created", "status"]
    assert {"id", "kind", "at", "data"} == set(events[0])
    assert [event["data"]["to"] for event in events if event["kind"] == "status"] == [
        "processing",
        "completed",
    ]
    for part in ("graph", "attempts", "events"):  # public is the job, not its inside
        assert bert.get(f"/api/jobs/{job['id']}/{part}").status_code == 404
        assert app.stranger().get(f"/api/jobs/{job['id']}/{part}").status_code == 404
    theirs = bert.job(job["id"])
    assert not HIDDEN & set(theirs)
    assert not HIDDEN & set(app.stranger().job(job["id"]))


def test_cancel_leaves_the_neighbour_alone(anna: Person, bert: Person):
    running = anna.submit("sleep", {"seconds": 60})["id"]
    anna.until(running, lambda job: (job["progress"] or {}).get("stage") == "running")
    queued = bert.submit("sleep", {"seconds": 0})["id"]
    bert.until(queued, lambda job: job["status"] == "processing")  # prefetched: in ComfyUI's own queue
    pending = anna.submit("sleep", {"seconds": 60})["id"]
    answer = anna.post(f"/api/jobs/{pending}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["started_at"] is None
    assert error_of(bert.post(f"/api/jobs/{running}/cancel"))["code"] == "not_found"
    answer = anna.post(f"/api/jobs/{running}/cancel")
    assert answer.json()["cancel_requested_at"] is not None
    assert anna.ended(running)["status"] == "cancelled"
    assert anna.attempts(running)[0]["outcome"] == "cancelled"
    done = bert.completed(queued)
    assert done["attempt"] == 1
    again = anna.post(f"/api/jobs/{running}/cancel")
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")
    late = bert.post(f"/api/jobs/{queued}/cancel")
    assert (late.status_code, error_of(late)["code"]) == (409, "conflict")


def test_trash_and_back(anna: Person, bert: Person):
    job = anna.completed(anna.submit("sleep", {"seconds": 0}, visibility="public")["id"])
    assert bert.delete(f"/api/jobs/{job['id']}").status_code == 404
    assert bert.get(job["result_urls"][0]).status_code == 200
    answer = anna.delete(f"/api/jobs/{job['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert bert.get(f"/api/jobs/{job['id']}").status_code == 404
    assert bert.get(job["result_urls"][0]).status_code == 404
    assert anna.get("/api/jobs", params={"scope": "mine"}).json()["data"] == []
    assert [one["id"] for one in anna.get("/api/jobs", params={"trash": True}).json()["data"]] == [job["id"]]
    assert bert.get("/api/jobs", params={"trash": True}).json()["data"] == []
    assert anna.job(job["id"])["deleted_at"] is not None
    assert bert.post(f"/api/jobs/{job['id']}/restore").status_code == 404
    restored = anna.post(f"/api/jobs/{job['id']}/restore")
    assert (restored.status_code, restored.json()["deleted_at"]) == (200, None)
    assert bert.get(f"/api/jobs/{job['id']}").status_code == 200


def test_deleting_a_running_job_cancels_it(anna: Person):
    job = anna.submit("sleep", {"seconds": 60})
    anna.until(job["id"], lambda one: one["status"] == "processing")
    assert anna.delete(f"/api/jobs/{job['id']}").status_code == 204
    assert anna.ended(job["id"])["status"] == "cancelled"


def test_edit(anna: Person, bert: Person):
    job = anna.completed(anna.submit("sleep", {"seconds": 0}, tags=["a"])["id"])
    edited = anna.patch(f"/api/jobs/{job['id']}", json={"title": 'O"\\{{x}} 🎬', "rating": 5})
    assert edited.status_code == 200
    assert (edited.json()["title"], edited.json()["rating"], edited.json()["tags"]) == (
        'O"\\{{x}} 🎬',
        5,
        ["a"],
    )
    edited = anna.patch(f"/api/jobs/{job['id']}", json={"title": None, "tags": []}).json()
    assert (edited["title"], edited["rating"], edited["tags"]) == (None, 5, [])
    assert bert.patch(f"/api/jobs/{job['id']}", json={"title": "mine"}).status_code == 404
    for body, field in (
        ({"rating": 6}, "rating"),
        ({"rating": True}, "rating"),
        ({"tags": None}, "tags"),
        ({"tags": ["x" * 51]}, "tags.0"),
        ({"visibility": None}, "visibility"),
        ({"visibility": "secret"}, "visibility"),
        ({"title": "x" * 301}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"status": "completed"}, "status"),
        ({}, "body"),
    ):
        answer = anna.patch(f"/api/jobs/{job['id']}", json=body)
        assert answer.status_code == 422, (body, answer.text)
        assert set(error_of(answer)["details"]["fields"]) == {field}, body
    assert bert.get(f"/api/jobs/{job['id']}").status_code == 404
    anna.patch(f"/api/jobs/{job['id']}", json={"visibility": "public"})
    assert bert.get(f"/api/jobs/{job['id']}").status_code == 200
