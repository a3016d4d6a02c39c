"""Session tokens: what is not exactly ours is refused, and rights come from the account."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import jwt
import pytest

from rushes.adapters.auth import known
from rushes.adapters.auth.known import KnownAccounts
from rushes.adapters.auth.links import PrintedLinks
from rushes.adapters.auth.local import LocalSessions
from rushes.adapters.clock import SystemClock
from rushes.domain.errors import Forbidden, Unauthenticated
from rushes.domain.principal import Principal
from rushes.ports import Account
from rushes.testing.memory.accounts import MemoryAccounts

pytestmark = pytest.mark.anyio
KEY = b"k" * 32


@pytest.fixture
def accounts() -> MemoryAccounts:
    return MemoryAccounts()


@pytest.fixture
def sessions(accounts: MemoryAccounts) -> LocalSessions:
    return LocalSessions(key=KEY, known=KnownAccounts(accounts), clock=SystemClock())


def claims(principal: Principal, **changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    whole = {
        "sub": str(principal.user_id),
        "iss": "rushes",
        "aud": "authenticated",
        "iat": now,
        "exp": now + timedelta(hours=1),
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not ...}


async def newcomer(sessions: LocalSessions, accounts: MemoryAccounts) -> tuple[Principal, str]:
    person = await accounts.anonymous()
    return person, sessions.token(person)


async def refused(sessions: LocalSessions, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await sessions.principal(token)
    return caught.value.message


async def test_a_token_brings_its_person_back(sessions: LocalSessions, accounts: MemoryAccounts) -> None:
    person, token = await newcomer(sessions, accounts)
    assert await sessions.principal(token) == person


async def test_a_hand_made_token_with_our_key_is_the_measure(
    sessions: LocalSessions, accounts: MemoryAccounts
) -> None:
    person = await accounts.anonymous()
    assert await sessions.principal(jwt.encode(claims(person), KEY, algorithm="HS256")) == person


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "anon"}, {"aud": ...}, {"iss": "supabase"}, {"iss": ...}, {"exp": ...}, {"sub": ...},
        {"sub": "not-a-uuid"}, {"sub": ""}, {"exp": "soon"}, {"aud": ["x"]},
        {"nbf": datetime.now(UTC) + timedelta(days=1)}, {"iat": datetime.now(UTC) + timedelta(days=1)},
    ],
)  # fmt: skip
async def test_claims_must_be_whole_and_ours(
    sessions: LocalSessions, accounts: MemoryAccounts, changes: dict[str, Any]
) -> None:
    token = jwt.encode(claims(await accounts.anonymous(), **changes), KEY, algorithm="HS256")
    assert "not valid" in await refused(sessions, token)
    assert accounts.asked == 0


async def test_an_expired_token_says_so(sessions: LocalSessions, accounts: MemoryAccounts) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    token = jwt.encode(claims(await accounts.anonymous(), exp=past), KEY, algorithm="HS256")
    assert "expired" in await refused(sessions, token)


async def test_alg_none_is_refused(sessions: LocalSessions, accounts: MemoryAccounts) -> None:
    person = await accounts.anonymous()
    good = jwt.encode(claims(person), KEY, algorithm="HS256")
    header = (
        base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    )
    body, signature = good.split(".")[1:]
    await refused(sessions, f"{header}.{body}.")
    await refused(sessions, f"{header}.{body}.{signature}")


@pytest.mark.parametrize(("key", "algorithm"), [(b"x" * 32, "HS256"), (KEY * 2, "HS256"), (KEY * 2, "HS512")])
async def test_another_key_or_algorithm_is_refused(
    sessions: LocalSessions, accounts: MemoryAccounts, key: bytes, algorithm: str
) -> None:
    await refused(sessions, jwt.encode(claims(await accounts.anonymous()), key, algorithm=algorithm))


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "\x00", "é" * 20, "x" * 100_000, "null.null.null"])
async def test_rubbish_is_refused(sessions: LocalSessions, token: str) -> None:
    await refused(sessions, token)


async def test_a_changed_body_is_refused(sessions: LocalSessions, accounts: MemoryAccounts) -> None:
    _, token = await newcomer(sessions, accounts)
    header, _, signature = token.split(".")
    other = base64.urlsafe_b64encode(json.dumps({"sub": str(uuid4())}).encode()).rstrip(b"=").decode()
    await refused(sessions, f"{header}.{other}.{signature}")


async def test_claims_in_a_token_give_no_rights(sessions: LocalSessions, accounts: MemoryAccounts) -> None:
    person = await accounts.anonymous()
    forged = claims(person, is_anonymous=False, role="service_role", app_metadata={"role": "admin"})
    found = await sessions.principal(jwt.encode(forged, KEY, algorithm="HS256"))
    assert (found.is_admin, found.is_anonymous, found.role) == (False, True, "authenticated")


async def test_a_deleted_account_is_out_within_half_a_minute(
    sessions: LocalSessions, accounts: MemoryAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, token = await newcomer(sessions, accounts)
    await sessions.principal(token)
    await sessions.principal(token)
    assert accounts.asked == 1, "a busy browser must not ask the database each time"
    accounts.people.clear()
    monkeypatch.setattr(known, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 30.5))
    assert "gone" in await refused(sessions, token)
    assert person.user_id not in accounts.people


async def test_the_memory_of_people_is_bounded(
    sessions: LocalSessions, accounts: MemoryAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "LIMIT", 2)
    tokens = [(await newcomer(sessions, accounts))[1] for _ in range(4)]
    for token in (*tokens, *tokens):
        await sessions.principal(token)
    assert accounts.asked == 8


async def test_a_session_that_was_ended_is_void_and_others_are_not(
    sessions: LocalSessions, accounts: MemoryAccounts
) -> None:
    person, token = await newcomer(sessions, accounts)
    other = sessions.token(person)
    assert person.user_id
    ended = Account(principal=person, ended_sessions=frozenset({sessions.session(token).id}))
    accounts.standing[person.user_id] = ended
    assert "signed out" in await refused(sessions, token)
    assert await sessions.principal(other) == person


async def test_tokens_of_another_version_are_void(sessions: LocalSessions, accounts: MemoryAccounts) -> None:
    person, token = await newcomer(sessions, accounts)
    assert person.user_id
    accounts.standing[person.user_id] = Account(principal=person, session_version=2)
    assert "signed out" in await refused(sessions, token)
    fresh = await sessions.fresh_token(person)
    assert await sessions.principal(fresh) == person
    forged = jwt.encode(claims(person, session_version="2x"), KEY, algorithm="HS256")
    assert "not valid" in await refused(sessions, forged)


async def test_a_disabled_account_is_told_so(sessions: LocalSessions, accounts: MemoryAccounts) -> None:
    person, token = await newcomer(sessions, accounts)
    assert person.user_id
    accounts.standing[person.user_id] = Account(principal=person, disabled=True)
    with pytest.raises(Forbidden, match="disabled"):
        await sessions.principal(token)


async def test_a_printed_link_works_once() -> None:
    links = PrintedLinks()
    link = links.make()
    assert len(link) >= 32
    assert links.take(link)
    assert not links.take(link)


async def test_printed_links_expire_and_differ() -> None:
    links = PrintedLinks()
    first, second = links.make(seconds=-1), links.make()
    assert first != second
    assert not any(links.take(link) for link in (first, "", "guess"))
    assert links.take(second)
