"""What roles that anybody may have can call or look through, tables aside: functions and views, as PostgREST,
pg_graphql or a leaked database password of theirs would show them."""

from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege

from rushes.adapters.postgres.filters import job_filter
from rushes.domain.principal import ANON, Principal
from rushes.ports import JobQuery
from tests.integration.schema.people import OWNER, PEOPLE, Stage

NOT_SERVICE: dict[str, Principal] = {name: who for name, who in PEOPLE.items() if who is not None}
EVERYBODYS = {"feed_rows", "is_admin", "is_member", "search_vector"} | {
    # the bridge to the old tables: the same rule inside, which tests/integration/legacy/test_bridge.py proves
    "bridge_cards", "bridge_one", "bridge_rows", "sees", "sees_all",
}  # fmt: skip
# What triggers call as whoever updates a job of their own: they only look at what they are given, or refuse it.
OF_TRIGGERS = {
    "apply_cancel", "check_closed", "check_content", "check_identity", "check_move", "is_terminal", "may_move",
    "refuse", "stamp", "without_derived",
}  # fmt: skip
CALLABLE = {"anon": EVERYBODYS, "authenticated": EVERYBODYS | OF_TRIGGERS | {"job_hidden"}}
VIEWS = {"rushes.job_cards": {"anon": 1, "owner": 4, "stranger": 2, "visitor": 1, "admin": 4}}


def names(stage: Stage, statement: str, *params: Any) -> set[str]:
    return {str(name) for (name,) in stage.connection.execute(statement.encode(), params)}


@pytest.mark.parametrize("role", CALLABLE)
def test_functions_that_can_be_called(stage: Stage, role: str) -> None:
    found = names(
        stage,
        "SELECT proname FROM pg_proc WHERE pronamespace = 'rushes'::regnamespace"
        " AND has_function_privilege(%s, oid, 'EXECUTE')",
        role,
    )
    assert found <= CALLABLE[role], "say here why people may call it"


def test_no_function_lies_where_it_would_be_published(stage: Stage) -> None:
    """PostgREST makes an RPC, and pg_graphql a field, of each function in schema public."""
    assert (
        names(stage, "SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        == set()
    )


def test_what_triggers_call_writes_nothing(stage: Stage) -> None:
    """None of them is a definer, and none holds a statement that writes."""
    rows = stage.connection.execute(
        "SELECT proname, prosecdef, prosrc FROM pg_proc"
        " WHERE pronamespace = 'rushes'::regnamespace AND proname = ANY (%s)",
        (list(OF_TRIGGERS),),
    ).fetchall()
    assert {name for name, _, _ in rows} == OF_TRIGGERS
    for name, definer, source in rows:
        assert not definer, name
        assert not any(word in source for word in ("INSERT", "UPDATE ", "DELETE", "EXECUTE", "setval")), name


def test_every_view_is_in_the_list(stage: Stage) -> None:
    found = names(
        stage,
        "SELECT oid::regclass FROM pg_class WHERE relkind IN ('v', 'm', 'f')"
        " AND relnamespace IN ('public'::regnamespace, 'rushes'::regnamespace)",
    )
    assert found == set(VIEWS)


@pytest.mark.parametrize("person", NOT_SERVICE)
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_shows_what_its_tables_show(stage: Stage, view: str, person: str) -> None:
    who = NOT_SERVICE[person]
    assert len(stage.ask(who, f"SELECT * FROM {view}")) == VIEWS[view][person]
    for statement in (
        f"INSERT INTO {view} (title) VALUES ('x')",
        f"UPDATE {view} SET title = 'x'",
        f"DELETE FROM {view}",
    ):
        with pytest.raises(InsufficientPrivilege):
            stage.ask(who, statement)


def test_the_card_holds_no_hidden_column(stage: Stage) -> None:
    shown = names(
        stage, "SELECT attname FROM pg_attribute WHERE attrelid = 'rushes.job_cards'::regclass AND attnum > 0"
    )
    granted = names(
        stage,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'public.workflow_jobs'::regclass AND attnum > 0"
        " AND has_column_privilege('anon', attrelid, attnum, 'SELECT')",
    )
    assert shown - granted == {"progress"}


QUERIES = {
    "nothing": JobQuery(),
    "trash": JobQuery(trash=True),
    "mine": JobQuery(scope="mine"),
    "a status": JobQuery(statuses=("processing", "pending")),
    "a type": JobQuery(workflow_types=("img2img",)),
}


@pytest.mark.parametrize("everyone", [True, False])
@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("person", NOT_SERVICE)
def test_the_feed_names_no_job_that_the_policies_hide(
    stage: Stage, person: str, name: str, everyone: bool
) -> None:
    """It reads past them, with the rule inside; so both must say the same."""
    who = NOT_SERVICE[person]
    found = {
        job
        for (job,) in stage.ask(
            who,
            "SELECT id FROM rushes.feed_rows(%s::rushes.job_filter, %s, 1000)",
            job_filter(QUERIES[name]),
            everyone,
        )
    }
    visible = {job for (job,) in stage.ask(who, "SELECT id FROM workflow_jobs")}
    assert found <= visible
    if not everyone:
        assert not found or who == OWNER, "mine are mine"
    if name == "trash" and person not in ("owner", "admin"):
        assert not found
    if name == "nothing" and everyone:
        assert found == visible - {stage.jobs["trash"]}


def test_hidden_columns_of_a_job_that_does_not_exist(stage: Stage) -> None:
    with pytest.raises(InsufficientPrivilege):
        stage.ask(ANON, "SELECT rushes.job_hidden(gen_random_uuid())")
    assert stage.one(OWNER, "SELECT rushes.job_hidden(gen_random_uuid())") == (None,)
