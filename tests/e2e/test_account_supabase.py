"""Where people are a Supabase project's: no passwords here, and a token of theirs is taken."""

import time
from collections.abc import Iterator
from uuid import uuid4

import jwt
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit, a_database
from tests.e2e.installation import RunningRushes
from tests.e2e.test_everybody import PHONE, faults

PROJECT = "http://127.0.0.1:9"  # nothing listens there, and nothing needs to: the secret checks the tokens
SECRET = "a legacy secret that is long enough for HS256"


@pytest.fixture(scope="module")
def hosted(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRushes]:
    with pytest.MonkeyPatch.context() as patch, a_database(postgres_server) as url:
        patch.setenv("SUPABASE_URL", PROJECT)
        patch.setenv("SUPABASE_JWT_SECRET", SECRET)
        with RunningRushes(tmp_path_factory.mktemp("hosted"), url) as running:
            yield running


def access_token(email: str, seconds: int = 3600) -> str:
    """As the project would make one."""
    claims = {
        "sub": str(uuid4()),
        "email": email,
        "iss": f"{PROJECT}/auth/v1",
        "aud": "authenticated",
        "role": "authenticated",
        "is_anonymous": False,
        "iat": int(time.time()),
        "exp": int(time.time()) + seconds,
    }
    return jwt.encode(claims, SECRET, "HS256")


def test_a_token_signs_in_and_no_password_is_asked_for(visit: Visit, hosted: RunningRushes) -> None:
    page = visit(at=hosted.url, size=PHONE, expected="401")
    expect(page.get_by_role("heading", name="Sign in to make jobs")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    ours = page.get_by_role("form", name="Sign in through Supabase")
    expect(ours).to_contain_text(PROJECT)
    expect(page.get_by_role("form")).to_have_count(1)
    assert faults(page) == []
    token = ours.get_by_label("Access token")
    ours.get_by_role("button", name="Use the token").click()
    expect(ours).to_contain_text("Paste the access token")
    expect(token).to_be_focused()
    token.fill(access_token("sue@example.org", seconds=-60))
    ours.get_by_role("button", name="Use the token").click()
    expect(ours.get_by_role("alert").last).to_contain_text("expired")
    token.fill(access_token("sue@example.org"))
    ours.get_by_role("button", name="Use the token").click()
    expect(page.locator("summary", has_text="sue@")).to_be_visible()

    page.goto("/?page=account")
    expect(page.get_by_text("signed in as sue@example.org")).to_be_visible()
    expect(page.get_by_text("are kept by Supabase")).to_be_visible()
    expect(page.get_by_role("form")).to_have_count(0)
    expect(page.get_by_role("button", name="Sign out everywhere")).to_have_count(0)
    page.get_by_role("button", name="Sign out here").click()
    expect(page.get_by_role("heading", name="Sign in to make jobs")).to_be_visible()
