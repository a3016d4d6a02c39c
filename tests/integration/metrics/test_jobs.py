"""Metrics are right after real jobs: what is counted is what the table says."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from rushes.testing.comfyui import DemoServer
from tests.integration.app.made import picture
from tests.integration.app.stand import Stand
from tests.integration.metrics.scrape import Scrape, scrape, until


@pytest.fixture(autouse=True)
def well_again(demo: DemoServer) -> Iterator[None]:
    yield
    demo.faults.clear()


def risen(before: Scrape, after: Scrape, name: str, **labels: str) -> float:
    return after.value(name, **labels) - before.value(name, **labels)


def test_completed_failed_cancelled(app: Stand, demo: DemoServer):
    before = scrape(app.url)
    anna = app.person()
    jobs = [anna.submit("sleep", {"seconds": 0.3}) for _ in range(3)]
    for job in jobs:
        anna.completed(job["id"])
    failed = anna.failed(anna.submit("failing")["id"])
    running = anna.submit("sleep", {"seconds": 60, "steps": 1200})["id"]
    anna.until(running, lambda job: job["status"] == "processing")
    anna.post(f"/api/jobs/{running}/cancel")
    anna.until(running, lambda job: job["status"] == "cancelled")
    after = until(app.url, lambda seen: risen(before, seen, "rushes_attempts_total") == 5)

    assert risen(before, after, "rushes_jobs_submitted_total", workflow_type="sleep") == 4
    for outcome, code, kind, count in (
        ("completed", "", "sleep", 3),
        ("failed", failed["error_code"], "failing", 1),
        ("cancelled", "", "sleep", 1),
    ):
        labels = {"outcome": outcome, "error_code": code, "workflow_type": kind, "server": demo.url}
        assert risen(before, after, "rushes_attempts_total", **labels) == count, labels
    assert risen(before, after, "rushes_job_wait_seconds_count") == 5
    assert risen(before, after, "rushes_job_run_seconds_count", workflow_type="sleep") == 3
    assert risen(before, after, "rushes_claim_seconds_count", found="yes") == 5
    assert risen(before, after, "rushes_storing_seconds_count") == 3


def test_times_and_bytes_are_those_of_the_row(app: Stand):
    before = scrape(app.url)
    anna = app.person()
    done = anna.completed(anna.submit("sleep", {"seconds": 1.0})["id"])
    after = scrape(app.url)
    size = done["outputs"]["files"][0]["size_bytes"]
    assert risen(before, after, "rushes_stored_bytes_total") == size
    [(waited, ran)] = app.sql(
        "select extract(epoch from started_at - created_at)::float,"
        " extract(epoch from completed_at - started_at)::float from workflow_jobs where id = %s",
        done["id"],
    )
    assert risen(before, after, "rushes_job_wait_seconds_sum") == pytest.approx(waited, abs=0.5)
    assert risen(before, after, "rushes_job_run_seconds_sum") == pytest.approx(ran, abs=0.5)
    assert ran >= 1.0
    assert risen(before, after, "rushes_job_total_seconds_sum") == pytest.approx(waited + ran, abs=0.5)


def test_a_lost_attempt(app: Stand, demo: DemoServer):
    before = scrape(app.url)
    demo.faults.add("out_of_memory", node="RushesDemoSleep", times=1)
    anna = app.person()
    job = anna.completed(anna.submit("sleep")["id"])
    assert job["attempt"] == 2
    after = scrape(app.url)
    labels = {
        "outcome": "retried",
        "error_code": "out_of_memory",
        "workflow_type": "sleep",
        "server": demo.url,
    }
    assert risen(before, after, "rushes_attempts_total", **labels) == 1
    assert risen(before, after, "rushes_attempts_total", outcome="completed") == 1
    assert risen(before, after, "rushes_job_wait_seconds_count") == 1, "only the first claim ends the wait"


def test_who_waits_and_why(app: Stand, demo: DemoServer):
    anna = app.person()
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    before = scrape(app.url)
    doomed = anna.submit("no-model", deadline=soon)
    waiting = anna.submit("no-model")
    running = anna.submit("sleep", {"seconds": 60, "steps": 1200})
    anna.failed(doomed["id"])
    held = until(
        app.url,
        lambda seen: (
            seen.value("rushes_jobs", status="pending", workflow_type="no-model") == 1
            and seen.value("rushes_jobs", status="processing", workflow_type="sleep") == 1
        ),
    )
    assert risen(before, held, "rushes_jobs_expired_total") == 1
    assert held.value("rushes_jobs_held", workflow_type="no-model") == 1
    assert held.value("rushes_jobs_held") == 1
    assert 0 < held.value("rushes_jobs_oldest_waiting_seconds", workflow_type="no-model") < 30
    assert held.value("rushes_server_jobs", server=demo.url) == 1
    for job in (waiting, running):
        anna.post(f"/api/jobs/{job['id']}/cancel")
    gone = until(app.url, lambda seen: seen.value("rushes_jobs") == 0)
    assert {"status": "pending", "workflow_type": "no-model"} in gone.labels("rushes_jobs"), "down, not away"


def test_the_installation(app: Stand, demo: DemoServer):
    seen = until(app.url, lambda seen: seen.value("rushes_server_up", server=demo.url) == 1)
    assert seen.value("rushes_database_up") == 1
    assert seen.value("rushes_dispatchers") == 1
    assert seen.value("rushes_server_slots") == 1
    assert seen.value("rushes_server_vram_free_bytes") > 0
    assert seen.value("rushes_storage_free_bytes") > 0
    assert seen.value("process_resident_memory_bytes") > 0
    [(server,)] = app.sql("select id from comfy_servers")
    app.sql("update comfy_servers set draining = true, open_until = now() + interval '1 hour'")
    app.sql("insert into queue_pauses (workflow_type) values ('sleep'), ('*')")
    app.sql(
        "insert into storage_outbox (action, target, created_at, available_at, tries, last_error) values"
        " ('delete_keys', '[\"x\"]', now() - interval '1 hour', now() + interval '1 hour', 3, 'No.'),"
        " ('delete_keys', '[\"x\"]', now() - interval '2 hours', now() + interval '1 hour', 0, NULL)"  # is to wait
    )
    try:
        seen = until(app.url, lambda seen: seen.value("rushes_server_draining") == 1)
        assert seen.value("rushes_server_breaker_open", server=demo.url) == 1
        assert seen.labels("rushes_queue_paused") == [{"workflow_type": "*"}, {"workflow_type": "sleep"}]
        assert seen.value("rushes_outbox_entries") == 2
        assert seen.value("rushes_outbox_failing") == 1
        assert seen.value("rushes_outbox_oldest_seconds") == pytest.approx(3600, abs=60)
    finally:
        app.sql("update comfy_servers set draining = false, open_until = null where id = %s", server)
        app.sql("delete from queue_pauses")
        app.sql("delete from storage_outbox")


def test_people(app: Stand):
    anna = app.person()
    before = scrape(app.url)
    anna.upload("a.png", picture())
    with anna.listening():
        assert scrape(app.url).value("rushes_feed_clients") == 1
    after = scrape(app.url)
    assert risen(before, after, "rushes_upload_bytes_total") == len(picture())
    stored = {"method": "PUT", "route": "/api/uploads/{upload_id}/content", "status": "200"}
    assert risen(before, after, "rushes_http_requests_total", **stored) == 1


def test_a_stream_counts_until_its_first_byte(app: Stand):
    anna = app.person()
    before = scrape(app.url)
    with anna.listening():
        time.sleep(1.0)  # the time that must not be counted
    after = until(
        app.url,
        lambda seen: risen(before, seen, "rushes_http_request_seconds_count", route="/api/events") == 1,
    )
    assert risen(before, after, "rushes_http_request_seconds_sum", route="/api/events") < 0.9
