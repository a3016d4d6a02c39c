"""`rushes users` and `rushes keys`, beside the running app."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.accounts.test_passwords import PASSWORD, fresh_email, sign_in, sign_up
from tests.integration.app.person import Person
from tests.integration.app.stand import Stand
from tests.integration.cli.rushes import Done, Rushes


class Operator:
    """Whoever sits at the machine of the data directory."""

    def __init__(self, place: Stand, folder: Path) -> None:
        self._rushes = Rushes(folder)
        self._settings = {"RUSHES_DATABASE_URL": place.database_url, "RUSHES_DATA_DIR": str(place.folder)}

    def run(self, *args: str, **settings: str) -> Done:
        return self._rushes.run(*args, **self._settings, **settings)

    def did(self, *args: str, **settings: str) -> str:
        done = self.run(*args, **settings)
        assert done.code == 0, done
        return done.out.strip()


@pytest.fixture
def operator(place: Stand, tmp_path: Path) -> Operator:
    return Operator(place, tmp_path)


def test_add_somebody_who_then_sets_a_password(place: Stand, operator: Operator):
    email, who = fresh_email(), place.stranger()
    url = operator.did("users", "add", email, "--admin", "--url", "https://rushes.example")
    base, _, token = url.partition("/#set-password=")
    assert base == "https://rushes.example"
    body = {"token": token, "new_password": PASSWORD}
    assert who.post("/api/auth/password", json=body).status_code == 200
    me = who.get("/api/me").json()
    assert (me["email"], me["is_admin"]) == (email, True)
    assert operator.run("users", "add", email).code == 1
    operator.did("users", "admin", email, "--remove")
    assert sign_in(again := place.stranger(), email) == 200
    fresh = place.stranger()
    token = operator.did("users", "link", email).partition("=")[2]
    assert fresh.post("/api/auth/password", json=body | {"token": token}).status_code == 200
    assert again.get("/api/me").status_code == 200


def test_list_disable_and_enable(place: Stand, operator: Operator):
    email, who = fresh_email(), place.stranger()
    user_id = sign_up(who, email)["user"]["id"]
    listed = json.loads(operator.did("users", "list", "--q", email, "--json"))
    assert [(one["id"], one["email"]) for one in listed] == [(user_id, email)]
    assert user_id in operator.did("users", "list")
    operator.did("users", "disable", user_id)
    assert "disabled" in operator.did("users", "list", "--q", email)
    assert sign_in(place.stranger(), email) == 401
    operator.did("users", "enable", email)
    assert sign_in(place.stranger(), email) == 200
    for unknown in ("nobody@example.org", str(uuid4())):
        done = operator.run("users", "disable", unknown)
        assert done.code == 1
        assert "There is no account" in done.err


def test_limits(place: Stand, operator: Operator, anna: Person):
    operator.did(
        "users", "limits", anna.id, "--jobs-waiting", "3", "--stored-gb", "0.5", "--jobs-per-day", "off"
    )
    found = json.loads(operator.did("users", "limits", anna.id, "--json"))
    assert found["limits"]["jobs_waiting"] == 3
    assert found["limits"]["bytes_stored"] == 512 * 1024**2
    assert found["limits"]["jobs_per_day"] is None
    assert found["use"]["bytes_stored"] == 0
    shown = operator.did("users", "limits", anna.id, "--jobs-waiting", "usual")
    assert "jobs_waiting\t100\t0" in shown
    assert operator.run("users", "limits", anna.id, "--jobs-waiting", "many").code == 2
    assert operator.run("users", "limits", anna.id, "--jobs-waiting", "-1").code == 1


def test_keys(place: Stand, operator: Operator, anna: Person):
    made = json.loads(operator.did("keys", "create", "nightly", "--user", anna.id, "--days", "7", "--json"))
    script = place.stranger()
    script.headers["X-API-Key"] = made["key"]
    assert script.get("/api/me").json()["id"] == anna.id
    assert made["key"] not in operator.did("keys", "list", "--user", anna.id, "--json")
    assert "nightly" in operator.did("keys", "list", "--user", anna.id)
    operator.did("keys", "revoke", made["id"])
    assert script.get("/api/me").status_code == 401
    assert "revoked" in operator.did("keys", "list", "--user", anna.id)
    assert operator.run("keys", "revoke", str(uuid4())).code == 1
    whole = operator.did("keys", "create", "all", "--scope", "admin")
    script.headers["X-API-Key"] = whole
    assert script.get("/api/users").status_code == 200
    assert operator.run("keys", "create", "x", "--scope", "everything").code == 1
    assert operator.run("keys", "create", "x", "--user", anna.id, "--scope", "admin").code == 1


def test_where_accounts_are_supabases(operator: Operator):
    cloud = {"SUPABASE_URL": "https://project.supabase.co"}
    done = operator.run("users", "add", fresh_email(), **cloud)
    assert done.code == 1
    assert "dashboard" in done.err
