"""Rates, over two processes: sign-ins and submits, for an account and for an address."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from rushes.services.rates import network
from tests.integration.app.database import app_database
from tests.integration.app.person import Person, error_of
from tests.integration.app.processes import Process
from tests.integration.app.stand import Stand

JOB = {"workflow_type": "sleep", "inputs": {"seconds": 0}}
SIGN_INS, SUBMITS = 4, 6


@pytest.fixture(scope="module")
def url(postgres_server: str) -> Iterator[str]:
    with app_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="module")
def slow(url: str, sleeping_type: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """An app in this process ..."""
    with Stand(
        url, tmp_path_factory.mktemp("slow"), dispatchers=0, workflows_dir=sleeping_type,
        limit_sign_ins_per_minute=SIGN_INS, limit_submits_per_minute=SUBMITS,
    ) as stand:  # fmt: skip
        yield stand


@pytest.fixture(scope="module")
def beside(slow: Stand, url: str, sleeping_type: Path) -> Iterator[str]:
    """... and one in a process of its own, with the same data directory, so the same key."""
    process = Process(
        slow.folder, "serve", "--port", "0", data_dir=slow.folder, database_url=url, workflows_dir=sleeping_type,
        limit_sign_ins_per_minute=SIGN_INS, limit_submits_per_minute=SUBMITS,
    )  # fmt: skip
    with process:
        yield process.until_said("Rushes serves: ").rpartition(" ")[2]


@pytest.fixture(autouse=True)
def empty_buckets(slow: Stand) -> None:
    slow.sql("delete from rushes.rates")


def test_submits_of_one_account_over_two_processes(slow: Stand, beside: str):
    here = slow.person()
    there = Person(beside)
    slow.people.append(there)
    there.headers["Authorization"] = here.headers["Authorization"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: (here, there)[n % 2].post("/api/jobs", json=JOB), range(24)))
    passed = [answer for answer in answers if answer.status_code == 201]
    assert SUBMITS <= len(passed) <= SUBMITS + 2, "as many as fit in, and what ran out meanwhile"
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert error_of(refused)["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 60 / SUBMITS + 1
    slow.sql("update rushes.rates set full_until = now() where full_until > now() + interval '1 second'")
    assert there.post("/api/jobs", json=JOB).status_code == 201


def test_somebody_else_is_not_kept_waiting(slow: Stand):
    first, second = slow.person(), slow.person()
    while first.post("/api/jobs", json=JOB).status_code == 201:
        pass
    assert second.post("/api/jobs", json=JOB).status_code == 201


def test_an_address_has_five_times_as_much(slow: Stand):
    people = [slow.person() for _ in range(7)]
    slow.sql("delete from rushes.rates")
    codes = [person.post("/api/jobs", json=JOB).status_code for _ in range(SUBMITS) for person in people]
    assert SUBMITS * 5 <= codes.count(201) <= SUBMITS * 5 + 8
    assert set(codes) == {201, 429}


def test_sign_ins_to_one_account(slow: Stand, beside: str):
    owner, email = slow.stranger(), f"{uuid4().hex}@example.org"
    body = {"email": email, "password": "correct horse battery"}
    assert owner.post("/api/auth/sign-up", json=body).status_code == 201
    slow.sql("delete from rushes.rates")
    guess = body | {"password": "a wrong guess"}
    codes = []
    for number in range(8):
        who = Person((slow.url, beside)[number % 2])
        slow.people.append(who)
        codes.append(
            who.post(
                "/api/auth/sign-in", json=guess | {"email": email.upper() if number % 3 else email}
            ).status_code
        )
    assert codes[:SIGN_INS] == [401] * SIGN_INS
    assert 429 in codes[SIGN_INS:]
    answer = owner.post("/api/auth/sign-in", json=body)
    assert error_of(answer)["code"] == "rate_limited", (
        "right or wrong: guesses must not be told from each other"
    )
    unknown = [
        owner.post("/api/auth/sign-in", json=guess | {"email": "no@example.org"}).status_code
        for _ in range(7)
    ]
    assert unknown[:SIGN_INS] == [401] * SIGN_INS
    assert 429 in unknown, "an unknown address is limited alike"


def test_the_table_holds_no_addresses_and_is_swept(slow: Stand):
    person = slow.person()
    person.post("/api/jobs", json=JOB)
    rows = slow.sql("select r::text from rushes.rates as r")
    assert rows
    assert all("127.0.0.1" not in row and person.id not in row for (row,) in rows)
    slow.sql(
        "insert into rushes.rates select 'old ' || n, now() - interval '1 hour' from generate_series(1, 50) as n"
    )
    rates = slow.at.people.rates
    end = time.monotonic() + 20
    while slow.sql("select from rushes.rates where starts_with(key, 'old')"):
        assert time.monotonic() < end
        slow.do(lambda: asyncio.gather(*(rates.new_account(f"10.0.0.{n}") for n in range(50))))


@pytest.mark.parametrize(
    ("address", "known_as"),
    [("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
     ("2001:db8:1:2::1", "2001:db8:1:2::/64"), ("testclient", "testclient")],
)  # fmt: skip
def test_a_household_is_one_address(address: str, known_as: str):
    assert network(address) == known_as
