"""Every call that names something, with the name of somebody else's: whoever asks learns not even that it exists."""

from collections.abc import Callable

import pytest

from rushes.web.app import create_app
from tests.integration.app.made import picture
from tests.integration.app.person import Json, Person
from tests.integration.app.stand import Stand

NAMED = [
    (method.upper(), path)
    for path, methods in create_app(None).openapi()["paths"].items()
    for method in methods
    if path.startswith("/api/")
    and any(name in path for name in ("job_id", "upload_id", "key_id", "user_id", "server_id"))
]
WHO: dict[str, Callable[[Stand], Person]] = {
    "another": Stand.person,
    "a member": Stand.member,
    "nobody": Stand.stranger,
}
BODIES: dict[str, Json] = {
    "/api/jobs/{job_id}": {"title": "mine"},
    "/api/limits/{user_id}": {"jobs_running": 1},
    "/api/users/{user_id}": {"is_admin": True},
    "/api/servers/{server_id}": {"name": "mine"},
}


@pytest.fixture(scope="module")
def hers(place: Stand) -> dict[str, str]:
    """What belongs to Anna: her account, a private job, an upload that waits for its bytes, a key."""
    anna = place.person()
    job = anna.submit("img2img", {"image": anna.uploaded("a.png", picture()), "prompt": "x"})
    upload = anna.post("/api/uploads", json={"filename": "b.png", "size_bytes": 3}).json()
    key = anna.post("/api/keys", json={"name": "k", "scopes": ["read"]}).json()
    place.sql(
        "INSERT INTO comfy_servers (url, name) VALUES ('http://127.0.0.1:9', 'gpu') ON CONFLICT DO NOTHING"
    )
    [(server,)] = place.sql("SELECT id::text FROM comfy_servers LIMIT 1")
    return {
        "user_id": anna.id,
        "job_id": job["id"],
        "upload_id": upload["id"],
        "key_id": key["id"],
        "server_id": server,
    }


def state(place: Stand, hers: dict[str, str]) -> list[object]:
    """Whatever somebody could have changed of it."""
    return [
        place.sql(f"SELECT * FROM {table} WHERE {column} = %s", hers[named])
        for table, column, named in (
            ("workflow_jobs", "id", "job_id"), ("uploads", "id", "upload_id"), ("api_keys", "id", "key_id"),
            ("user_limits", "user_id", "user_id"), ("auth.users", "id", "user_id"), ("comfy_servers", "id", "server_id"),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("call", NAMED, ids=" ".join)
def test_a_name_is_not_enough(place: Stand, hers: dict[str, str], call: tuple[str, str], who: str) -> None:
    method, template = call
    before = state(place, hers)
    person = WHO[who](place)
    path = template.format_map(hers)
    answer = (
        person.request(method, path, json=BODIES.get(template))
        if method != "PUT"
        else person.put(path, content=b"abc")
    )
    assert answer.status_code in (401, 403, 404), answer.text
    if "job_id" in template and answer.status_code != 401:
        unknown = person.request(
            method, template.format(job_id="01900000-0000-7000-8000-000000000000"), json=BODIES.get(template)
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (
            unknown.status_code,
            unknown.json()["error"]["code"],
        )
    assert state(place, hers) == before


@pytest.mark.parametrize("who", WHO)
def test_her_files_and_lists(place: Stand, hers: dict[str, str], who: str) -> None:
    person = WHO[who](place)
    for (key,) in place.sql("SELECT key FROM uploads WHERE user_id = %s", hers["user_id"]):
        assert person.get(f"/storage/{key}").status_code == 404
    [(inputs,)] = place.sql("SELECT inputs FROM workflow_jobs WHERE id = %s", hers["job_id"])
    assert person.get(f"/storage/{inputs['image']['key']}").status_code == 404
    assert hers["job_id"] not in person.get("/api/jobs?limit=200").text
    assert hers["job_id"] not in person.get("/api/jobs", params={"job_id": hers["job_id"]}).text
    body = {"workflow_type": "img2img", "inputs": {"image": {"key": inputs["image"]["key"]}, "prompt": "x"}}
    assert person.post("/api/jobs", json=body).status_code in (401, 404, 422), (
        "her file is no input of others"
    )
