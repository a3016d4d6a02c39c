"""Supabase's people in the real app: their tokens, their rows, keys beside them, and no local accounts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from rushes.domain.principal import Principal
from tests.integration.app.database import app_database
from tests.integration.app.person import Person, error_of
from tests.integration.app.stand import Stand
from tests.unit.auth.project import SupabaseProject

JOB = {"workflow_type": "sleep", "inputs": {"seconds": 0}}
SECRET = "a legacy secret of thirty-two bytes or more"


@pytest.fixture(scope="module")
def project() -> Iterator[SupabaseProject]:
    with SupabaseProject() as project:
        yield project


@pytest.fixture(scope="module")
def cloud(
    postgres_server: str,
    project: SupabaseProject,
    sleeping_type: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stand]:
    with (
        app_database(postgres_server) as url,
        Stand(
            url, tmp_path_factory.mktemp("cloud"), dispatchers=0, workflows_dir=sleeping_type,
            supabase_url=project.url, limit_submits_per_minute=None,
        ) as stand,
    ):  # fmt: skip
        yield stand


def someone(cloud: Stand, project: SupabaseProject, **claims: Any) -> Person:
    person = cloud.stranger()
    person.id = str(claims.setdefault("sub", str(uuid4())))
    claims.setdefault("email", f"{person.id[:8]}@example.org")
    person.headers["Authorization"] = f"Bearer {project.token(**claims)}"
    return person


def test_a_person_submits_and_sees(cloud: Stand, project: SupabaseProject):
    anna, bert = someone(cloud, project), someone(cloud, project)
    job = anna.submit("sleep", {"seconds": 0})
    assert job["user_id"] == anna.id
    assert bert.get(f"/api/jobs/{job['id']}").status_code == 404
    team = anna.submit("sleep", {"seconds": 0}, visibility="team")["id"]
    assert bert.get(f"/api/jobs/{team}").status_code == 200
    visitor = someone(cloud, project, is_anonymous=True, email="")
    assert visitor.get("/api/me").json()["is_anonymous"] is True
    assert visitor.get(f"/api/jobs/{team}").status_code == 404, "an anonymous sign-in is nobody's colleague"
    visitor.submit("sleep", {"seconds": 0})
    admin = someone(cloud, project, app_metadata={"role": "admin"})
    assert admin.get(f"/api/jobs/{job['id']}").status_code == 200
    faker = someone(cloud, project, user_metadata={"role": "admin"})
    assert faker.get(f"/api/jobs/{job['id']}").status_code == 404
    assert faker.get("/api/users").status_code == 403


@pytest.mark.parametrize(
    "changes",
    [{"exp": 1}, {"aud": "anon"}, {"iss": "supabase"}, {"iss": "rushes"}, {"role": "service_role"}, {"sub": "x"}, {"nbf": 2**33}],
    ids=str,
)  # fmt: skip
def test_wrong_tokens_are_nobodys(cloud: Stand, project: SupabaseProject, changes: dict[str, Any]):
    person = cloud.stranger()
    token = project.token(**changes)
    answer = person.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, error_of(answer)["code"]) == (401, "unauthenticated")
    assert person.post("/api/jobs", json=JOB, headers={"Authorization": f"Bearer {token}"}).status_code == 401
    person.cookies.set("rushes_session", token)
    assert person.get("/api/me").json()["id"] is None


def test_local_accounts_are_off(cloud: Stand, project: SupabaseProject):
    who = cloud.stranger()
    assert who.get("/api/auth").json() == {
        "kinds": ["supabase"], "anonymous": False, "sign_up": False, "supabase_url": project.url,
    }  # fmt: skip
    body = {"email": "x@example.org", "password": "correct horse"}
    assert who.post("/api/auth/sign-in", json=body).status_code == 403
    assert who.post("/api/auth/sign-up", json=body).status_code == 403
    assert who.post("/api/auth/anonymous").status_code == 401
    assert who.post("/api/jobs", json=JOB).status_code == 401
    local = cloud.serving.sessions.token(Principal(user_id=uuid4()))
    assert who.get("/api/me", headers={"Authorization": f"Bearer {local}"}).status_code == 401
    link = cloud.serving.sign_in_link().removeprefix(cloud.url)
    assert who.get(link, follow_redirects=False).status_code == 403
    admin = someone(cloud, project, app_metadata={"role": "admin"})
    assert "dashboard" in error_of(admin.post("/api/users", json={"email": "x@example.org"}))["message"]


def test_a_key_beside_supabase(cloud: Stand, project: SupabaseProject):
    anna = someone(cloud, project)
    key = anna.post("/api/keys", json={"name": "script"}).json()["key"]
    script = cloud.stranger()
    script.headers["X-API-Key"] = key
    assert script.get("/api/me").json()["id"] == anna.id
    assert script.post("/api/jobs", json=JOB).status_code == 201


def test_a_browser_keeps_the_token_as_its_cookie(cloud: Stand, project: SupabaseProject):
    anna, browser = someone(cloud, project), cloud.stranger()
    token = anna.headers["Authorization"].removeprefix("Bearer ")
    assert browser.post("/api/auth/session", json={"token": token}).status_code == 204
    assert browser.get("/api/me").json()["id"] == anna.id
    with browser.listening() as feed:
        assert feed.hello.data["cursor"]
    assert browser.post("/api/auth/sign-out").status_code == 204
    assert browser.get("/api/me").json()["id"] is None


def test_a_disabled_person_stays_out_whatever_the_token_says(cloud: Stand, project: SupabaseProject):
    admin, anna = someone(cloud, project, app_metadata={"role": "admin"}), someone(cloud, project)
    anna.get("/api/me")
    assert admin.patch(f"/api/users/{anna.id}", json={"disabled": True}).status_code == 200
    assert error_of(anna.get("/api/me"))["code"] == "forbidden"


def test_both_kinds_at_once(
    postgres_server: str, project: SupabaseProject, tmp_path: Path, sleeping_type: Path
):
    with (
        app_database(postgres_server) as url,
        Stand(
            url, tmp_path, dispatchers=0, workflows_dir=sleeping_type, supabase_url=project.url,
            auth=("local", "supabase"), supabase_jwt_secret=SECRET,
        ) as both,
    ):  # fmt: skip
        local, cloud = both.person(), someone(both, project)
        assert local.get("/api/me").json()["is_anonymous"] is True
        assert cloud.get("/api/me").json()["id"] == cloud.id
        assert both.admin().get("/api/me").json()["is_admin"] is True


def test_where_auth_users_is_supabases_own(cloud: Stand, project: SupabaseProject):
    """Its table belongs to another role, and the service role may not even read it."""
    anna = someone(cloud, project)
    assert anna.get("/api/me").status_code == 200
    with psycopg.connect(cloud.database_url, autocommit=True) as owner:
        owner.execute("create role supabase_auth_admin" if not _is_role(owner) else "select 1")
        owner.execute("grant usage on schema auth to supabase_auth_admin")
        owner.execute("alter table auth.users no force row level security")
        owner.execute("alter table auth.users owner to supabase_auth_admin")
        owner.execute("revoke all on auth.users from service_role")
        (is_superuser,) = owner.execute(
            "select usesuper from pg_user where usename = current_user"
        ).fetchone() or (0,)
        try:
            assert anna.submit("sleep", {"seconds": 0})
            gone = someone(cloud, project)
            expected = 200 if is_superuser else 401  # a superuser may write everybody's tables
            assert gone.get("/api/me").status_code == expected
            admin = someone(cloud, project, app_metadata={"role": "admin"})
            assert anna.id in [one["id"] for one in admin.get("/api/users").json()["data"]]
        finally:
            owner.execute(f"alter table auth.users owner to {owner.info.user}")
            owner.execute("grant all on auth.users to service_role")
            owner.execute("alter table auth.users force row level security")


def _is_role(connection: psycopg.Connection[Any]) -> bool:
    asked = "select 1 from pg_roles where rolname = 'supabase_auth_admin'"
    return connection.execute(asked).fetchone() is not None
