"""Who may see what: the whole table, and the claims that carry it into the database."""

import json
from uuid import UUID

import pytest

from rushes.domain.principal import ANON, Principal

ME, OTHER = UUID(int=1), UUID(int=2)
PEOPLE = {
    "anon": ANON,
    "visitor": Principal(user_id=ME, is_anonymous=True),
    "member": Principal(user_id=ME),
    "admin": Principal(user_id=ME, is_admin=True),
}
# person → owner → the visibilities that are shown
SHOWN: dict[str, dict[UUID | None, set[str]]] = {
    "anon": {ME: {"public"}, OTHER: {"public"}, None: {"public"}},
    "visitor": {ME: {"private", "team", "public"}, OTHER: {"public"}, None: {"public"}},
    "member": {ME: {"private", "team", "public"}, OTHER: {"team", "public"}, None: {"team", "public"}},
    "admin": {owner: {"private", "team", "public"} for owner in (ME, OTHER, None)},
}


@pytest.mark.parametrize("visibility", ["private", "team", "public", "unheard-of"])
@pytest.mark.parametrize("owner", [ME, OTHER, None])
@pytest.mark.parametrize("who", PEOPLE)
def test_the_table(who: str, owner: UUID | None, visibility: str) -> None:
    expected = visibility in SHOWN[who][owner]
    if visibility == "unheard-of":  # fails closed, but for those who see everything of that owner
        expected = who == "admin" or (owner == ME and who != "anon")
    assert PEOPLE[who].may_see(owner, visibility) is expected


def test_nobody_claims_nothing() -> None:
    assert json.loads(ANON.claims()) == {"role": "anon"}


def test_claims_name_the_person_and_their_rights() -> None:
    claims = json.loads(PEOPLE["admin"].claims())
    assert claims == {
        "role": "authenticated",
        "sub": str(ME),
        "is_anonymous": False,
        "app_metadata": {"role": "admin"},
    }
    assert json.loads(PEOPLE["visitor"].claims())["is_anonymous"] is True
    assert json.loads(PEOPLE["member"].claims())["app_metadata"] == {}


def test_an_admin_without_an_account_is_nobody_to_the_database() -> None:
    assert json.loads(Principal(is_admin=True).claims()) == {"role": "anon"}
