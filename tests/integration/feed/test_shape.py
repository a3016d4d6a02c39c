"""What a card, a detail, a timeline and a file look like, and for whom."""

import json
from datetime import datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from rushes.adapters.postgres.reader import PostgresJobReader
from rushes.domain.principal import ANON, Principal
from rushes.ports import JobQuery, StoredFile
from tests.integration.feed.people import ADMIN, ANNA, BERT, EVERYBODY, GUEST, NAMES
from tests.integration.feed.rows import Row, add_rows

pytestmark = pytest.mark.anyio

CARD = {
    "id", "job_id", "user_id", "workflow_type", "workflow_name", "workflow_version",
    "status", "version", "created_at", "updated_at", "started_at", "completed_at",
    "processing_time_seconds", "inputs", "outputs", "result_urls", "prompt_text", "error_code",
    "error_message", "priority", "attempt", "max_attempts", "cancel_requested_at", "waiting_reason",
    "batch_id", "deadline_at", "available_at", "visibility", "title", "rating",
    "tags", "parent_id", "deleted_at", "expires_at", "model_used", "origin",
    "progress",
}  # fmt: skip
COMFY = {"comfyui_output_filename", "comfyui_output_subfolder", "comfyui_output_type"}
HIDDEN = {"comfy_url", "error_details", "metadata", "user_ip", "idempotency_key", "legacy_row"}

DONE = Row(owner=ANNA, visibility="team", kinds=("image", "video"), texts=("a caption",), tags=("keep",))
RUNNING = Row(owner=ANNA, visibility="public", status="processing")
TRASHED = Row(owner=ANNA, visibility="public", deleted=True, kinds=("image",))
ODD = Row(owner=ANNA, workflow_type="odd")
INPUT = {"filename": "Mein Bild.png", "key": f"workflows/img2img/{DONE.id}/input_image.png",
         "content_type": "image/png", "size_bytes": 7, "width": 4, "height": 3, "duration_seconds": None}  # fmt: skip
NESTED = {"filename": "a.wav", "key": f"workflows/img2img/{DONE.id}/audio-1.wav", "content_type": "audio/wav"}
PROGRESS = {"stage": "running", "percent": 40, "value": 8, "max": 20, "node": "3", "node_title": "KSampler"}


@pytest.fixture(scope="module", autouse=True)
def _rows(feed_url: str) -> None:
    inputs = {"image": INPUT, "speakers": [{"audio": NESTED}], "prompt": "p"}
    with psycopg.connect(feed_url) as connection:
        add_rows(connection, [DONE], inputs=Jsonb(inputs))
        add_rows(connection, [RUNNING, TRASHED])
        add_rows(connection, [ODD], outputs=Jsonb({"files": [7, {"name": "no key"}], "texts": "none"}))
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(
            "INSERT INTO public.workflow_job_leases (job_id, lease_token, owner, server_id, expires_at, progress)"
            " VALUES (%s, 1, 'd', gen_random_uuid(), now(), %s), (%s, 2, 'd', gen_random_uuid(), now(), %s)",
            (RUNNING.id, Jsonb(PROGRESS), DONE.id, Jsonb(PROGRESS)),
        )
        connection.execute(
            "INSERT INTO public.workflow_job_attempts (job_id, number, prompt_id, comfy_url, outcome)"
            " VALUES (%s, 2, 'p2', 'http://c', NULL), (%s, 1, 'p1', 'http://c', 'retried')",
            (DONE.id, DONE.id),
        )
        connection.execute(
            "INSERT INTO public.workflow_job_events (job_id, kind, data)"
            " VALUES (%s, 'created', '{}'), (%s, 'status', '{\"to\": \"completed\"}')",
            (DONE.id, DONE.id),
        )
        connection.execute(
            "INSERT INTO public.workflow_prompts (job_id, attempt, prompt_id, graph) VALUES (%s, 2, 'p2', %s)",
            (DONE.id, Jsonb({"1": {"class_type": "X"}})),
        )
        for status in ("stored", "waiting"):
            connection.execute(
                "INSERT INTO public.uploads (id, user_id, filename, key, status, content_type, size_bytes, width)"
                " VALUES (gen_random_uuid(), %s, 'ü.png', %s, %s, 'image/png', 5, 64)",
                (ANNA.user_id, f"uploads/{ANNA.user_id}/{status}/a.png", status),
            )


async def card_of(
    reader: PostgresJobReader, row: Row, principal: Principal = ANNA, **filters: object
) -> dict:
    page = await reader.page(principal, JobQuery(job_id=str(row.id), **filters))  # type: ignore[arg-type]
    (card,) = json.loads(page.data)
    assert isinstance(card, dict)
    return card


async def test_a_card_has_exactly_the_agreed_fields(reader: PostgresJobReader) -> None:
    card = await card_of(reader, DONE, BERT)
    assert set(card) == CARD
    assert card["id"] == str(DONE.id)
    assert card["tags"] == ["keep"]
    assert card["progress"] is None  # a leftover lease of a finished job says nothing
    assert datetime.fromisoformat(card["created_at"]) == DONE.created_at
    assert "+" in card["created_at"] or card["created_at"].endswith("Z")


async def test_output_files_carry_their_url(reader: PostgresJobReader) -> None:
    outputs = (await card_of(reader, DONE))["outputs"]
    assert outputs == {
        "files": [
            file | {"url": f"/storage/{file['key']}"}
            for file in (DONE.file("image", 0), DONE.file("video", 1))
        ],
        "texts": [{"node_id": "9", "text": "a caption"}],
        "reused": False,
    }


async def test_odd_outputs_of_an_old_row_pass_through(reader: PostgresJobReader) -> None:
    assert (await card_of(reader, ODD))["outputs"] == {"files": [7, {"name": "no key"}], "texts": "none"}
    assert await reader.file(ANNA, f"workflows/odd/{ODD.id}/x.png") is None


@pytest.mark.parametrize("principal", [ANNA, BERT, ANON], ids=["owner", "other", "anon"])
async def test_progress_comes_with_a_running_job(reader: PostgresJobReader, principal: Principal) -> None:
    assert (await card_of(reader, RUNNING, principal))["progress"] == PROGRESS


@pytest.mark.parametrize(
    ("principal", "fields"),
    [(ANNA, CARD | COMFY | HIDDEN), (ADMIN, CARD | COMFY | HIDDEN), (BERT, CARD | COMFY)],
    ids=["owner", "admin", "other"],
)
async def test_hidden_fields_are_the_owners_and_administrators(
    reader: PostgresJobReader, principal: Principal, fields: set[str]
) -> None:
    body = await reader.one(principal, DONE.id)
    assert body is not None
    job = json.loads(body)
    assert set(job) == fields
    assert ("secret" in body.decode()) == (fields > CARD | COMFY)


@pytest.mark.parametrize("principal", EVERYBODY, ids=NAMES)
async def test_one_job_is_there_for_whom_the_list_shows_it(
    reader: PostgresJobReader, principal: Principal
) -> None:
    for row in (DONE, RUNNING, TRASHED):
        listed = await reader.page(principal, JobQuery(job_id=str(row.id), trash=row.deleted))
        body = await reader.one(principal, row.id)
        assert (body is not None) == (json.loads(listed.data) != [])
    assert await reader.one(principal, uuid4()) is None


@pytest.mark.parametrize("principal", EVERYBODY, ids=NAMES)
async def test_graph_attempts_and_timeline_are_the_owners_and_administrators(
    reader: PostgresJobReader, principal: Principal
) -> None:
    graph = await reader.graph(principal, DONE.id)
    attempts = await reader.attempts(principal, DONE.id)
    events = await reader.events(principal, DONE.id)
    if principal not in (ANNA, ADMIN):
        assert graph is attempts is events is None
        return
    assert graph
    assert attempts
    assert events
    assert json.loads(graph) == {"graph": {"1": {"class_type": "X"}}, "prompt_id": "p2", "attempt": 2}
    assert [tried["number"] for tried in json.loads(attempts)] == [1, 2]
    assert "owner" not in json.loads(attempts)[0]  # which dispatcher held it is nobody's business
    told = json.loads(events)
    assert [set(event) for event in told] == [{"id", "kind", "at", "data"}] * 2
    assert [event["kind"] for event in told] == ["created", "status"]


async def test_a_job_without_a_story_has_an_empty_one(reader: PostgresJobReader) -> None:
    assert await reader.attempts(ANNA, RUNNING.id) == b"[]"
    assert await reader.events(ANNA, RUNNING.id) == b"[]"
    assert await reader.graph(ANNA, RUNNING.id) is None


async def test_files_of_a_job(reader: PostgresJobReader) -> None:
    video = DONE.file("video", 1)
    assert await reader.file(BERT, video["key"]) == StoredFile(
        key=video["key"], filename="output-1.bin", content_type="video/x", size_bytes=10, sha256="00",
        width=64, height=48, duration_seconds=1.5, fps=24,
    )  # fmt: skip
    for name in ("poster.webp", "thumb_0.webp", "thumb_1.webp"):
        derived = await reader.file(BERT, f"workflows/img2img/{DONE.id}/{name}")
        assert derived is not None
        assert (derived.filename, derived.content_type, derived.size_bytes) == (name, "image/webp", None)
    for told in (INPUT, NESTED):
        found = await reader.file(BERT, str(told["key"]))
        assert found is not None
        assert (found.filename, found.content_type) == (told["filename"], told["content_type"])


@pytest.mark.parametrize(
    ("principal", "row", "there"),
    [
        (GUEST, DONE, False), (ANON, DONE, False), (ADMIN, DONE, True),
        (ANNA, TRASHED, True), (ADMIN, TRASHED, True), (BERT, TRASHED, False), (ANON, TRASHED, False),
    ],
)  # fmt: skip
async def test_a_file_is_seen_with_its_job(
    reader: PostgresJobReader, principal: Principal, row: Row, there: bool
) -> None:
    assert (await reader.file(principal, row.file("image")["key"]) is not None) == there


NO_KEYS = [
        f"workflows/img2img/{DONE.id}/nothing.png", f"workflows/img2img/{DONE.id}/", f"workflows/img2img/{DONE.id}",
        f"workflows/other/{DONE.id}/output-0.bin", f"workflows/img2img/{UUID(int=5)}/output-0.bin",
        "workflows/img2img/not-an-id/output.png", "", "x", "\0", f"workflows/img2img/{DONE.id}/\0",
        "uploads/", "uploads/\0", f"workflows/img2img/{DONE.id}/$.key", f"workflows/img2img/{str(DONE.id).upper()}/output-0.bin",
        f"workflows/img2img/{DONE.id}/\ud800",
    ]  # fmt: skip


@pytest.mark.parametrize("key", NO_KEYS, ids=range(len(NO_KEYS)))
async def test_a_key_that_names_nothing(reader: PostgresJobReader, key: str) -> None:
    assert await reader.file(ANNA, key) is None


async def test_an_upload_is_its_owners_once_it_is_stored(reader: PostgresJobReader) -> None:
    stored, waiting = (f"uploads/{ANNA.user_id}/{status}/a.png" for status in ("stored", "waiting"))
    assert await reader.file(ANNA, stored) == StoredFile(
        key=stored, filename="ü.png", content_type="image/png", size_bytes=5, width=64
    )
    assert await reader.file(ANNA, waiting) is None
    for other in (BERT, GUEST, ADMIN, ANON):
        assert await reader.file(other, stored) is None
