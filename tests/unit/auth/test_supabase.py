"""Tokens of a Supabase project: the good ones, and the whole matrix of wrong ones."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from rushes.adapters.auth import jwks as jwks_module
from rushes.adapters.auth.jwks import Jwks
from rushes.adapters.auth.known import KnownAccounts
from rushes.adapters.auth.supabase import Project, SupabaseTokens
from rushes.domain.errors import Forbidden, Unauthenticated, Unavailable
from rushes.domain.principal import Principal
from rushes.ports import Account
from rushes.testing.memory.accounts import MemoryAccounts
from tests.unit.auth.project import Key, SupabaseProject, by_hand, encoded

pytestmark = pytest.mark.anyio
SECRET = b"the project's own secret of at least 32 bytes"


@pytest.fixture(scope="module")
def running() -> Iterator[SupabaseProject]:
    with SupabaseProject() as project:
        yield project


@pytest.fixture
def project(running: SupabaseProject) -> Iterator[SupabaseProject]:
    keys = list(running.keys)
    running.asked = 0
    yield running
    running.keys, running.slow, running.broken, running.body = keys, 0.0, False, None


@pytest.fixture
def accounts() -> MemoryAccounts:
    return MemoryAccounts()


@pytest.fixture
def tokens(project: SupabaseProject, accounts: MemoryAccounts) -> SupabaseTokens:
    return authenticator(project, accounts)


def authenticator(
    project: SupabaseProject, accounts: MemoryAccounts, secret: bytes | None = None
) -> SupabaseTokens:
    where = Project(url=project.url, jwt_secret=secret)
    return SupabaseTokens(
        project=where, jwks=Jwks(where.jwks_url), accounts=accounts, known=KnownAccounts(accounts)
    )


async def refused(tokens: SupabaseTokens, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await tokens.principal(token)
    return caught.value.message


# --- good ones --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [0, 1], ids=["ES256", "RS256"])
async def test_a_token_says_who_it_is(tokens: SupabaseTokens, project: SupabaseProject, key: int) -> None:
    sub = uuid4()
    token = project.token(key=key, sub=str(sub))
    assert tokens.knows(token)
    assert await tokens.principal(token) == Principal(user_id=sub, email="anna@example.org")


async def test_an_anonymous_sign_in(tokens: SupabaseTokens, project: SupabaseProject) -> None:
    found = await tokens.principal(project.token(is_anonymous=True, email=""))
    assert (found.is_anonymous, found.email, found.role) == (True, None, "authenticated")


async def test_only_app_metadata_makes_an_administrator(
    tokens: SupabaseTokens, project: SupabaseProject
) -> None:
    assert (await tokens.principal(project.token(app_metadata={"role": "admin"}))).is_admin
    for changes in (
        {"user_metadata": {"role": "admin"}},
        {"user_metadata": {"app_metadata": {"role": "admin"}}},
        {"app_metadata": {"role": "Admin"}},
        {"app_metadata": {"roles": ["admin"]}},
        {"app_metadata": ["role", "admin"]},
        {"app_metadata": None},
        {"user_role": "admin"},
    ):
        assert not (await tokens.principal(project.token(**changes))).is_admin, changes


async def test_hs256_only_with_the_secret(project: SupabaseProject, accounts: MemoryAccounts) -> None:
    token = jwt.encode(project.claims(), SECRET, algorithm="HS256")
    await refused(authenticator(project, accounts), token)
    legacy = authenticator(project, accounts, SECRET)
    assert (await legacy.principal(token)).email == "anna@example.org"
    assert (await legacy.principal(project.token())).user_id, "a project moves from one to the other"
    await refused(legacy, jwt.encode(project.claims(), SECRET + b"!", algorithm="HS256"))
    await refused(legacy, jwt.encode(project.claims(), SECRET * 2, algorithm="HS512"))


async def test_clocks_may_differ_a_little(tokens: SupabaseTokens, project: SupabaseProject) -> None:
    now = int(time.time())
    assert await tokens.principal(project.token(exp=now - 3, iat=now + 3, nbf=now + 3))


# --- the matrix -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": ...}, {"exp": "soon"}, {"exp": None}, {"aud": ...}, {"aud": "anon"}, {"aud": ["x", "y"]}, {"aud": ""},
        {"iss": ...}, {"iss": "supabase"}, {"iss": "https://other.supabase.co/auth/v1"}, {"iss": ["x"]},
        {"sub": ...}, {"sub": ""}, {"sub": "1"}, {"sub": 7}, {"sub": None}, {"sub": [str(uuid4())]},
        {"role": "service_role"}, {"role": "anon"}, {"role": ...}, {"role": "supabase_admin"}, {"role": ["authenticated"]},
        {"nbf": int(time.time()) + 3600}, {"nbf": "x"}, {"iat": int(time.time()) + 3600},
    ],
    ids="-".join,  # no values: they differ between workers
)  # fmt: skip
async def test_claims_that_are_wrong(
    tokens: SupabaseTokens, project: SupabaseProject, accounts: MemoryAccounts, changes: dict[str, Any]
) -> None:
    claims = project.claims(**changes)
    signature = project.keys[0]
    try:
        token = signature.sign(claims)
    except TypeError:  # the library signs no such thing; somebody with a key could
        head, body = {"alg": "ES256", "typ": "JWT", "kid": "one"}, claims
        signing = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(body).encode())}"
        raw = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(
            signing.encode(), signature.private
        )
        token = f"{signing}.{encoded(raw)}"
    await refused(tokens, token)
    assert accounts.asked == 0, "nobody is looked up for a token that proves nothing"


async def test_an_expired_token_says_so(tokens: SupabaseTokens, project: SupabaseProject) -> None:
    assert "expired" in await refused(tokens, project.token(exp=int(time.time()) - 60))


async def test_another_projects_issuer_but_our_key(tokens: SupabaseTokens, project: SupabaseProject) -> None:
    token = project.token(iss="https://other.supabase.co/auth/v1")
    assert not tokens.knows(token)
    await refused(tokens, token)


async def test_alg_none(tokens: SupabaseTokens, project: SupabaseProject) -> None:
    good = project.token()
    signature = good.rsplit(".", 1)[1]
    for alg in ("none", "None", "NONE", "", None, ["ES256"], 0):
        for kid in ({"kid": "one"}, {}):
            header = {"alg": alg, "typ": "JWT", **kid}
            await refused(tokens, by_hand(header, project.claims(), b""))
            token = by_hand(header, project.claims(), b"").rsplit(".", 1)[0]
            await refused(tokens, f"{token}.{signature}")


@pytest.mark.parametrize("secret", [None, SECRET], ids=["no secret", "with a secret"])
@pytest.mark.parametrize("key", [0, 1], ids=["EC", "RSA"])
async def test_hs256_signed_with_the_public_key(
    project: SupabaseProject, accounts: MemoryAccounts, key: int, secret: bytes | None
) -> None:
    tokens = authenticator(project, accounts, secret)
    signer = project.keys[key]
    for material in (
        signer.pem(), signer.pem().strip(), json.dumps(signer.public).encode(), b"",
        str(signer.public.get("n", signer.public.get("x"))).encode(),
    ):  # fmt: skip
        header = {"alg": "HS256", "typ": "JWT", "kid": signer.kid}
        signing = by_hand(header, project.claims(), b"").rsplit(".", 1)[0]
        signature = hmac.new(material, signing.encode(), hashlib.sha256).digest()
        await refused(tokens, f"{signing}.{encoded(signature)}")


async def test_an_unknown_key(tokens: SupabaseTokens, project: SupabaseProject) -> None:
    await refused(tokens, Key("three").sign(project.claims()))
    await refused(tokens, Key("one").sign(project.claims()))  # the id of a known one
    for kid in (None, "", 1, ["one"], {"kid": "one"}, "../one", "one\x00"):
        header = {"alg": "ES256", "typ": "JWT", "kid": kid}
        await refused(tokens, by_hand(header, project.claims(), b"x" * 64))
    without = jwt.encode(project.claims(), project.keys[0].private, algorithm="ES256")
    await refused(tokens, without)


async def test_the_wrong_type_of_key(tokens: SupabaseTokens, project: SupabaseProject) -> None:
    """The id of the RSA key with ES256 and the other way round: the key decides about the algorithm."""
    await refused(tokens, project.keys[0].sign(project.claims(), kid="two"))
    await refused(tokens, project.keys[1].sign(project.claims(), kid="one"))
    rsa = project.keys[1]
    for algorithm in ("RS384", "RS512", "PS256"):
        await refused(
            tokens, jwt.encode(project.claims(), rsa.private, algorithm=algorithm, headers={"kid": "two"})
        )


async def test_keys_in_the_token_itself_are_passed_over(
    tokens: SupabaseTokens, project: SupabaseProject
) -> None:
    own = Key("evil")
    for header in (
        {"jwk": own.public}, {"jwk": own.public, "kid": "one"}, {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/x"},
    ):  # fmt: skip
        await refused(tokens, own.sign(project.claims(), **header))


async def test_whatever_is_changed_afterwards(tokens: SupabaseTokens, project: SupabaseProject) -> None:
    good = project.token()
    header, body, signature = good.split(".")
    other = encoded(json.dumps(project.claims(app_metadata={"role": "admin"})).encode())
    flipped = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    for token in (
        f"{header}.{other}.{signature}", f"{header}.{body}.{flipped}", f"{header}.{body}.{signature[:-4]}",
        f"{header}.{body}.", f"{header}.{body}", f"{header}.{body}.{signature}.{signature}", f"{header}..{signature}",
        f"{header}.{body}.{encoded(bytes(64))}", good + "=", f" {good[:-1]}",
    ):  # fmt: skip
        await refused(tokens, token)
    assert await tokens.principal(good)


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "...", "a.b.c", "\x00", "é" * 20, "null.null.null", "W10.W10.W10", "eyJhbGciOiJFUzI1NiJ9.W10.",
     "[" * 16_000, "e30.e30.e30", f"{encoded(b'[' * 9000)}.e30.x"],
    ids=lambda token: token[:12],
)  # fmt: skip
async def test_garbage(tokens: SupabaseTokens, token: str) -> None:
    await refused(tokens, token)
    assert not tokens.knows(token)


async def test_a_huge_token_is_not_even_read(tokens: SupabaseTokens, project: SupabaseProject) -> None:
    token = project.token(user_metadata={"x": "y" * 100_000})
    assert not tokens.knows(token)
    began = time.perf_counter()
    await refused(tokens, token)
    assert time.perf_counter() - began < 0.05
    assert project.asked == 0


async def test_a_disabled_or_deleted_account(project: SupabaseProject) -> None:
    accounts = MemoryAccounts(mirrors=False)
    tokens = authenticator(project, accounts)
    token = project.token(sub=str(uuid4()))
    assert "gone" in await refused(tokens, token)
    someone = uuid4()
    accounts.people[someone] = Principal(user_id=someone)
    accounts.standing[someone] = Account(principal=Principal(user_id=someone), disabled=True)
    with pytest.raises(Forbidden, match="disabled"):
        await tokens.principal(project.token(sub=str(someone)))


async def test_somebody_new_is_booked_where_the_database_is_another(
    tokens: SupabaseTokens, project: SupabaseProject, accounts: MemoryAccounts
) -> None:
    found = await tokens.principal(project.token())
    assert accounts.people == {found.user_id: found}


# --- the keys ---------------------------------------------------------------------------------------


async def test_the_keys_are_fetched_once(tokens: SupabaseTokens, project: SupabaseProject) -> None:
    project.slow = 0.1
    await asyncio.gather(*(tokens.principal(project.token(key=n % 2)) for n in range(20)))
    assert project.asked == 1


async def test_a_rotated_key_is_found_and_a_flood_of_unknown_ones_is_not_passed_on(
    tokens: SupabaseTokens, project: SupabaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tokens.principal(project.token())
    project.keys = [*project.keys, Key("three")]
    fresh = project.token(key=2)
    await refused(tokens, fresh)  # only just asked
    assert project.asked == 1
    later(monkeypatch, jwks_module.PAUSE_SECONDS + 1)
    found = await asyncio.gather(*(tokens.principal(fresh) for _ in range(10)))
    assert len(set(found)) == 1
    assert project.asked == 2
    for number in range(20):
        await refused(tokens, by_hand({"alg": "ES256", "kid": f"k{number}"}, project.claims(), b"x" * 64))
    assert project.asked == 2


async def test_a_withdrawn_key_is_dead_after_ten_minutes(
    tokens: SupabaseTokens, project: SupabaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = project.token(key=1)
    assert await tokens.principal(token)
    project.keys = project.keys[:1]
    later(monkeypatch, jwks_module.VALID_SECONDS + 1)
    await refused(tokens, token)


async def test_keys_are_renewed_beside_the_work(
    project: SupabaseProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    jwks = Jwks(Project(url=project.url).jwks_url)
    assert await jwks.key("one")
    later(monkeypatch, jwks_module.FRESH_SECONDS + 1)
    project.broken = True
    assert await jwks.key("one"), "an outage of some minutes is nobody's concern"
    for _ in range(500):
        if project.asked == 2:
            break
        await asyncio.sleep(0.01)
    assert project.asked == 2
    assert await jwks.key("one")


@pytest.mark.parametrize("body", [None, b"<html>", b"[]", b'{"keys": {}}', b"{" * 5000, b" " * 300_000])
async def test_without_keys_nobody_is_recognised_and_it_says_why(
    project: SupabaseProject, accounts: MemoryAccounts, body: bytes | None
) -> None:
    project.broken, project.body = body is None, body
    tokens = authenticator(project, accounts)
    for _ in range(3):
        with pytest.raises(Unavailable, match="SUPABASE_URL"):
            await tokens.principal(project.token())
    assert project.asked == 1, "a project in trouble is not asked at each request"


async def test_whoever_goes_away_takes_nothing_from_the_others(
    tokens: SupabaseTokens, project: SupabaseProject
) -> None:
    project.slow = 0.1
    first = asyncio.create_task(tokens.principal(project.token()))
    second = asyncio.create_task(tokens.principal(project.token()))
    await asyncio.sleep(0.02)
    first.cancel()
    assert await second
    assert project.asked == 1


async def test_odd_keys_are_left_out(project: SupabaseProject) -> None:
    good = project.keys[0].public
    odd = [
        {"kty": "oct", "k": encoded(SECRET), "kid": "oct", "alg": "HS256"},
        {"kty": "oct", "k": encoded(SECRET), "kid": "oct2"},
        {**good, "kid": "enc", "use": "enc"}, {**good, "kid": "alg", "alg": "RS256"}, {**good, "kid": 7},
        {**good, "kid": "off", "x": encoded(bytes(32))}, {"kty": "EC", "kid": "empty"}, {"kid": "bare"}, "text", None,
        Key("p384", curve=ec.SECP384R1()).public, Key("small", "RS256", bits=1024).public,
        {**good, "kid": "leaked", "d": encoded(b"1" * 32)}, {"kty": "OKP", "crv": "Ed25519", "x": encoded(bytes(32)), "kid": "ed"},
    ]  # fmt: skip
    found = jwks_module.parse(json.dumps({"keys": [*odd, good]}).encode())
    assert set(found) == {"one"}


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    # the module's alone: apps that sleep in this process would otherwise sleep on for so long
    shifted = SimpleNamespace(monotonic=lambda: time.monotonic() + seconds)
    monkeypatch.setattr(jwks_module, "time", shifted)
