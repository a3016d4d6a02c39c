"""Several dispatchers over one server."""

import threading
import time
from collections.abc import Iterator

import pytest

from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.demo_view import at_hand
from tests.integration.app.stand import Stand


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with DemoServer(extra_nodes=True) as server:
        yield server


def test_three_dispatchers_never_exceed_a_servers_depth(postgres_server, demo, own_types, tmp_path):
    with (
        app_database(postgres_server) as url,
        Stand(
            url,
            tmp_path,
            comfy_urls=[demo.url],
            workflows_dir=own_types,
            dispatchers=3,
            limit_jobs_running=50,
        ) as app,
    ):
        anna = app.person()
        depths, over = [], threading.Event()

        def watch() -> None:
            while not over.is_set():
                depths.append(len(at_hand(demo)))
                time.sleep(0.01)

        watcher = threading.Thread(target=watch)
        watcher.start()
        done = []
        for _ in range(5):  # on a busy machine one of them may be quicker than the others for a while
            jobs = [anna.submit("sleep", {"seconds": 0.1})["id"] for _ in range(24)]
            done += [anna.completed(job, seconds=60) for job in jobs]
            owners = app.sql("select distinct owner from workflow_job_attempts")
            if len(owners) > 1:
                break
        over.set()
        watcher.join()
        assert max(depths) <= 2
        assert {job["attempt"] for job in done} == {1}
        assert len({job["job_id"] for job in done}) == len(done)
        assert len(owners) > 1, "only one of them worked: the test shows nothing"
        assert app.sql("select count(*) from workflow_job_leases") == [(0,)]
