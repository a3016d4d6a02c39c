"""People, for administrators: list, add, make administrator, disable."""

from uuid import uuid4

from tests.integration.app.person import Json, Person, error_of
from tests.integration.app.stand import Stand


def everybody(admin: Person, **params: Json) -> list[Json]:
    found: list[Json] = []
    after = None
    while True:
        page = admin.get("/api/users", params={**params, **({"after": after} if after else {})}).json()
        found += page["data"]
        after = page["pagination"]["next_cursor"]
        assert page["pagination"]["has_more"] == (after is not None)
        if after is None:
            return found


def test_the_list_is_paged_and_whole(place: Stand, administrator: Person):
    made = [place.person().id for _ in range(7)]
    ids = [one["id"] for one in everybody(administrator, limit=3)]
    assert len(ids) == len(set(ids))
    assert [one for one in ids if one in made] == made[::-1], "newest first"
    assert {str(row[0]) for row in place.sql("select id from auth.users")} == set(ids)
    first = administrator.get("/api/users", params={"limit": 1}).json()
    cursor = first["pagination"]["next_cursor"]
    assert administrator.get("/api/users", params={"after": cursor, "q": "x"}).status_code == 400
    assert administrator.get("/api/users", params={"after": "x"}).status_code == 400
    place.sql("delete from auth.users where id = %s", first["data"][0]["id"])
    assert error_of(administrator.get("/api/users", params={"after": cursor}))["code"] == "invalid_cursor"


def test_one_is_found_by_a_part_of_the_address(place: Stand, administrator: Person):
    email = f"{uuid4().hex}@example.org"
    added = administrator.post("/api/users", json={"email": email}).json()
    assert [one["id"] for one in everybody(administrator, q=email[5:15].upper())] == [added["id"]]
    assert everybody(administrator, q="%") == []
    assert administrator.get(f"/api/users/{added['id']}").json()["email"] == email
    assert administrator.get(f"/api/users/{uuid4()}").status_code == 404
    again = administrator.post("/api/users", json={"email": email.upper()})
    assert error_of(again)["code"] == "conflict"


def test_nobody_else_sees_or_changes_people(place: Stand, anna: Person):
    member = place.member()
    for who in (anna, member, place.stranger()):
        for method, path, body in (
            ("GET", "/api/users", None),
            ("POST", "/api/users", {"email": "x@example.org"}),
            ("GET", f"/api/users/{anna.id}", None),
            ("PATCH", f"/api/users/{anna.id}", {"is_admin": True}),
            ("POST", f"/api/users/{anna.id}/link", None),
            ("PATCH", f"/api/limits/{anna.id}", {"jobs_waiting": 1}),
        ):
            answer = who.request(method, path, json=body)
            assert error_of(answer)["code"] == "forbidden", (method, path)


def test_make_an_administrator_and_take_it_back(place: Stand, administrator: Person):
    member = place.member()
    assert member.get("/api/users").status_code == 403
    answer = administrator.patch(f"/api/users/{member.id}", json={"is_admin": True})
    assert answer.json()["is_admin"] is True
    assert member.get("/api/users").status_code == 200, "at once, in this process"
    job = place.person().submit("sleep", {"seconds": 0})["id"]
    assert member.get(f"/api/jobs/{job}").status_code == 200
    administrator.patch(f"/api/users/{member.id}", json={"is_admin": False})
    assert member.get("/api/users").status_code == 403
    assert member.get(f"/api/jobs/{job}").status_code == 404


def test_disable(place: Stand, administrator: Person):
    browser = place.stranger()
    account = {"email": f"{uuid4().hex}@example.org", "password": "correct horse battery"}
    user_id = browser.post("/api/auth/sign-up", json=account).json()["user"]["id"]
    assert administrator.patch(f"/api/users/{user_id}", json={"disabled": True}).json()["disabled_at"]
    assert error_of(browser.get("/api/me"))["code"] == "forbidden"
    assert "disabled" in error_of(browser.get("/api/jobs"))["message"]
    assert browser.get("/").status_code in (200, 503), "the page itself comes, and no new account with it"
    assert error_of(place.stranger().post("/api/auth/sign-in", json=account))["code"] == "unauthenticated"
    assert (
        administrator.patch(f"/api/users/{user_id}", json={"disabled": False}).json()["disabled_at"] is None
    )
    assert browser.get("/api/me").json()["id"] == user_id


def test_nobody_locks_himself_out(place: Stand, administrator: Person):
    for body in ({"is_admin": False}, {"disabled": True}):
        answer = administrator.patch(f"/api/users/{administrator.id}", json=body)
        assert error_of(answer)["code"] == "conflict"
    assert administrator.patch(f"/api/users/{administrator.id}", json={}).status_code == 422
    assert administrator.patch(f"/api/users/{uuid4()}", json={"disabled": True}).status_code == 404


def test_an_anonymous_account_has_no_link(place: Stand, anna: Person, administrator: Person):
    answer = administrator.post(f"/api/users/{anna.id}/link")
    assert error_of(answer)["code"] == "conflict"
    assert administrator.post(f"/api/users/{uuid4()}/link").status_code == 404
