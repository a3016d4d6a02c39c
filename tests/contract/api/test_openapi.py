"""The API is what its OpenAPI says: answers have the shapes promised, errors the one shape, and nothing is a 500."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rushes.web.app import create_app
from tests.integration.app.made import picture
from tests.integration.app.person import Json, Person
from tests.integration.app.stand import Stand

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance,
]  # fmt: skip
EXAMPLES = 25
FOR_ADMINISTRATORS = ("/api/servers", "/api/queue", "/api/stats", "/api/users", "/api/limits")
OF_ONE_ACCOUNT = "/api/auth"  # may end its sessions
STREAMS = "/api/events"  # ends only when its reader goes


@pytest.fixture(scope="module")
def known(app: Stand, person: Person) -> Json:
    """Things that exist, so that more is tried than what is not there."""
    upload = person.upload("a.png", picture())
    asked = {"image": {"upload_id": upload["id"]}, "prompt": "x"}
    job = person.submit("img2img", asked, visibility="public", title="Known")
    waiting = {"filename": "b.png", "size_bytes": len(picture())}
    return {
        "job_id": job["id"],
        "upload_id": person.post("/api/uploads", json=waiting).json()["id"],
        "key": job["inputs"]["image"]["key"],
        "workflow_type": "img2img",
    }


def api() -> list[Any]:
    schema = schemathesis.openapi.from_dict(create_app(None).openapi())
    found = list(schema.exclude(path=STREAMS).get_all_operations())
    return [result.ok() for result in found if isinstance(result, Ok)]


# the app runs in this process, and its waits have jitter: it isn't the strategies that draw at random
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@pytest.mark.parametrize("operation", api(), ids=lambda operation: operation.label)
def test_every_call(operation: Any, app: Stand, person: Person, administrator: Person, known: Json) -> None:
    who = administrator if operation.path.startswith(FOR_ADMINISTRATORS) else person
    who = app.person() if operation.path.startswith(OF_ONE_ACCOUNT) else who
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=cases, real=st.booleans())
    def call(case: Case, real: bool) -> None:
        for name, value in known.items():
            if real and name in case.path_parameters:
                case.path_parameters[name] = value
        response = case.call(base_url=app.url, headers={"Authorization": who.headers["Authorization"]})
        unready = response.status_code == 503 and operation.path == "/readyz"  # no dispatcher runs here
        case.validate_response(response, checks=CHECKS[1:] if unready else CHECKS)
        has_the_one_shape(response)

    call()


def has_the_one_shape(response: Response) -> None:
    """Of errors; /readyz says in its own shape what is missing."""
    if response.status_code < 400 or str(response.request.url).endswith("/readyz") or not response.content:
        return
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    assert isinstance(body["error"]["code"], str)
    assert isinstance(body["error"]["message"], str)
    assert isinstance(body["error"]["details"], dict)


def operations(schema: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete", "head"):
                yield method, path, operation


def test_every_call_is_described(person: Person) -> None:
    schema = person.get("/openapi.json").json()
    found = list(operations(schema))
    assert len(found) > 20
    for method, path, operation in found:
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert operation["tags"], (method, path)
        for status, answer in operation["responses"].items():
            if status.startswith(("4", "5")) and path != "/readyz":
                assert "content" in answer, (method, path, status)
                shape = answer["content"]["application/json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/Error"}, (method, path, status)
    ids = [operation["operationId"] for _, _, operation in found]
    assert len(ids) == len(set(ids))


def test_what_is_no_call(app: Stand, person: Person) -> None:
    for method, path, status, code in (
        ("GET", "/api/nothing", 404, "not_found"),
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/assets/../x", 404, "not_found"),
        ("GET", "/assets/%00", 404, "not_found"),
        ("PUT", "/api/jobs", 405, "method_not_allowed"),
        ("POST", "/storage/workflows/x", 405, "method_not_allowed"),
        ("DELETE", "/api/workflows", 405, "method_not_allowed"),
    ):
        answer = person.request(method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), (method, path)
        assert answer.headers["x-request-id"]
    answer = person.get("/api/me", headers={"X-Request-Id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (
        person.get("/api/me", headers={"X-Request-Id": "x\ty" + "z" * 100}).headers["x-request-id"] != "x\ty"
    )
