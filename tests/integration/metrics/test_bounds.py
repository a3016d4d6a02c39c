"""Hostile names make no series of their own."""

import uuid

from tests.integration.app.person import Person
from tests.integration.app.stand import Stand
from tests.integration.metrics.scrape import scrape, until

HOSTILE = ["x" * 5000, 'a"b\\c\nd', "\x1b[31m", "{workflow_type}", "other", "名前", "__name__", "$(x)"]


# a method that HTTP doesn't know is answered 400 by the parser, before anything is counted
ODD_METHODS = ("PROPFIND", "MKCOL", "REPORT", "LINK", "COPY", "LOCK", "SEARCH", "PURGE", "TRACE", "SUBSCRIBE")


def odd_requests(person: Person, count: int) -> None:
    for n in range(count):
        person.get(f"/api/jobs/{uuid.uuid4()}")
        person.get(f"/nothing/{uuid.uuid4()}/{n}")
        person.get(f"/file{n}.txt")
        person.request(ODD_METHODS[n % len(ODD_METHODS)], f"/api/jobs?x={n}")
        person.post("/api/jobs", json={"workflow_type": f"type-{uuid.uuid4()}", "inputs": {}})


def test_paths_and_methods(app: Stand):
    anna = app.person()
    odd_requests(anna, 1)
    before = scrape(app.url)
    odd_requests(anna, 40)
    seen = scrape(app.url)
    assert seen.value("rushes_http_requests_total") - before.value("rushes_http_requests_total") >= 200
    for name in ("rushes_http_requests_total", "rushes_http_request_seconds_count"):
        fresh = [labels for labels in seen.labels(name) if labels not in before.labels(name)]
        assert [labels["route"] for labels in fresh] == ["/metrics"], "nothing but the scrape before is new"
    routes = {labels["route"] for labels in seen.labels("rushes_http_requests_total")}
    assert {"unmatched", "/api/jobs/{job_id}"} <= routes
    methods = {labels["method"] for labels in seen.labels("rushes_http_requests_total")}
    assert methods == {"GET", "POST", "other"}
    assert seen.labels("rushes_jobs_submitted_total") == []


def test_types_that_nobody_installed(app: Stand):
    """Rows of types that are gone, or that somebody wrote with SQL."""
    anna = app.person()
    before = scrape(app.url)
    kinds = HOSTILE + [f"gone-{n}" for n in range(200)]
    for kind in kinds:
        app.sql(
            "insert into workflow_jobs (id, job_id, user_id, workflow_type, workflow_name)"
            " values (%s, %s, %s, %s, 'workflow.json')",
            job := uuid.uuid4(),
            str(job),
            anna.id,
            kind,
        )
    seen = until(
        app.url, lambda seen: seen.value("rushes_jobs", status="pending", workflow_type="other") == len(kinds)
    )
    assert seen.value("rushes_jobs", status="pending") == len(kinds)
    types = {labels["workflow_type"] for labels in seen.labels("rushes_jobs")}
    assert "sleep" in types
    assert not types & {kind for kind in kinds if kind != "other"}
    assert seen.ours() - before.ours() < 60
