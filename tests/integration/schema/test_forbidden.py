"""Tricks that a person with SQL may try; each must come to nothing."""

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from rushes.domain.principal import ANON, Principal
from tests.integration.schema.people import ADMIN, OWNER, PEOPLE, STRANGER, VISITOR, Stage

OTHERS = {name: who for name, who in PEOPLE.items() if name not in ("service", "owner")}
USERS = {name: who for name, who in OTHERS.items() if name != "anon"}


@pytest.mark.parametrize("person", [*OTHERS, "owner"])
def test_inserting_a_job(stage: Stage, person: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        stage.ask(
            PEOPLE[person], "INSERT INTO workflow_jobs (id, job_id, user_id, workflow_type, workflow_name)"
            " VALUES (gen_random_uuid(), 'mine', %s, 'img2img', 'workflow.json')", OWNER.user_id,
        )  # fmt: skip


@pytest.mark.parametrize("forged", [
    "status = 'completed'", "status = 'pending'", "outputs = '{}'", "result_urls = '[]'", "priority = 15", "fair_start = 0",
    "user_id = '00000000-0000-0000-0000-000000000002'", "attempt = 0", "origin = 'legacy'", "version = 99", "inputs = '{}'",
    "comfy_url = 'http://mine'", "created_at = now()", "job_id = 'x'", "expires_at = NULL", "title = 'x', status = 'failed'",
])  # fmt: skip
def test_forging_a_column_of_an_own_job(stage: Stage, forged: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        stage.touched(OWNER, f"UPDATE workflow_jobs SET {forged}")


@pytest.mark.parametrize("person", USERS)
@pytest.mark.parametrize(
    "change", ["title = 'x'", "deleted_at = now()", "cancel_requested_at = now()", "visibility = 'public'"]
)
def test_changing_anothers_job(stage: Stage, person: str, change: str) -> None:
    """Not even an administrator, by SQL: his commands use the service connection."""
    assert stage.touched(PEOPLE[person], f"UPDATE workflow_jobs SET {change}") == 0
    assert (
        stage.touched(
            PEOPLE[person], f"UPDATE workflow_jobs SET {change} WHERE id = %s", stage.jobs["public"]
        )
        == 0
    )
    with pytest.raises(InsufficientPrivilege):
        stage.touched(ANON, f"UPDATE workflow_jobs SET {change}")


@pytest.mark.parametrize("person", ["stranger", "visitor", "anon"])
def test_reading_what_hangs_on_anothers_job(stage: Stage, person: str) -> None:
    who, private = PEOPLE[person], stage.jobs["private"]
    assert stage.ask(who, "SELECT id FROM workflow_jobs WHERE id = %s", private) == []
    assert stage.ask(who, "SELECT progress FROM workflow_job_leases WHERE job_id = %s", private) == []
    for table in ("workflow_prompts", "workflow_job_attempts", "workflow_job_events"):
        for job in (private, stage.jobs["public"]):
            if person == "anon":
                with pytest.raises(InsufficientPrivilege):
                    stage.ask(who, f"SELECT job_id FROM {table} WHERE job_id = %s", job)
            else:
                assert stage.ask(who, f"SELECT job_id FROM {table} WHERE job_id = %s", job) == []


def test_hidden_columns_are_for_the_owner_and_administrators(stage: Stage) -> None:
    statement = "SELECT rushes.job_hidden(%s)"
    for who in (OWNER, ADMIN):
        (hidden,) = stage.one(who, statement, stage.jobs["public"])
        assert hidden["user_ip"] == "192.0.2.7"
        assert hidden["comfy_url"] == "http://gpu:8188"
    for who in (STRANGER, VISITOR):
        assert stage.one(who, statement, stage.jobs["public"]) == (None,)
    with pytest.raises(InsufficientPrivilege):
        stage.ask(ANON, statement, stage.jobs["public"])


def test_a_filter_can_not_leak_what_the_policy_hides(stage: Stage) -> None:
    """A cheap function of one's own in WHERE must not see rows before the policy does."""
    with stage.acting(STRANGER) as connection:
        connection.execute("CREATE TEMP TABLE seen (job uuid)")
        connection.execute(
            "CREATE FUNCTION pg_temp.peek(job uuid) RETURNS boolean LANGUAGE plpgsql COST 0.0001"
            " AS 'BEGIN INSERT INTO pg_temp.seen VALUES (job); RETURN true; END'"
        )
        connection.execute("SELECT id FROM workflow_jobs WHERE pg_temp.peek(id)")
        seen = {job for (job,) in connection.execute("SELECT job FROM pg_temp.seen")}
    assert seen == {stage.jobs["team"], stage.jobs["public"]}


CLAIMS = [
    '{"role": "authenticated", "sub": "%s", "user_metadata": {"role": "admin"}}',
    '{"role": "authenticated", "sub": "%s", "app_metadata": {"roles": ["admin"]}, "is_admin": true}',
    '{"role": "admin", "sub": "%s"}',
    '{"role": "service_role", "sub": "%s"}',
    '{"role": "authenticated", "sub": "%s", "app_metadata": {"role": "Admin"}}',
    '{"role": "authenticated", "sub": "%s", "app_metadata": "admin"}',
    '{"role": "authenticated", "app_metadata": {"role": "admin"}}',
    '{"role": "authenticated", "sub": null}',
    "{}",
    "",
]


@pytest.mark.parametrize("claims", CLAIMS)
def test_claims_that_make_nobody_an_administrator(stage: Stage, claims: str) -> None:
    said = claims.replace("%s", str(STRANGER.user_id))
    with stage.connection.transaction():
        stage.connection.execute("SET LOCAL ROLE authenticated")
        stage.connection.execute("SELECT set_config('request.jwt.claims', %s, true)", (said,))
        assert stage.connection.execute("SELECT rushes.is_admin()").fetchone() == (False,)
        private = stage.connection.execute(
            "SELECT id FROM workflow_jobs WHERE visibility = 'private'"
        ).fetchall()
        assert private == []
        assert stage.connection.execute("SELECT count(*) FROM comfy_servers").fetchone() == (0,)


def test_no_claims_at_all_show_what_is_public(stage: Stage) -> None:
    with stage.connection.transaction():
        stage.connection.execute("SET LOCAL ROLE authenticated")
        rows = stage.connection.execute("SELECT id FROM workflow_jobs").fetchall()
    assert rows == [(stage.jobs["public"],)]


@pytest.fixture
def shadowed(stage: Stage) -> Stage:
    """A stranger with tables and functions of his own where a careless search path would find them first."""
    stage.connection.execute("CREATE SCHEMA shadow")
    stage.connection.execute("GRANT ALL ON SCHEMA shadow TO authenticated")
    with stage.acting(OWNER) as connection:
        for where in ("pg_temp", "shadow"):
            temporary = "TEMP" if where == "pg_temp" else ""
            name = "" if temporary else "shadow."
            for table in ("workflow_jobs", "workflow_job_events", "storage_outbox", "fair_turns"):
                connection.execute(
                    f"CREATE {temporary} TABLE {name}{table} (id uuid, job_id uuid, kind text, data jsonb)"
                )
        for function in ("now", "uid", "jsonb_strip_nulls"):
            connection.execute(
                f"CREATE FUNCTION shadow.{function}() RETURNS timestamptz LANGUAGE plpgsql"
                " AS 'BEGIN RAISE EXCEPTION ''mine was called''; END'"
            )
    return stage


def test_a_search_path_of_ones_own_changes_nothing(shadowed: Stage) -> None:
    job = shadowed.new_job(OWNER)
    with shadowed.acting(OWNER) as connection:
        connection.execute("SET LOCAL search_path = shadow, pg_temp, pg_catalog, public")
        connection.execute(
            "UPDATE public.workflow_jobs SET cancel_requested_at = pg_catalog.now() WHERE id = %s", (job,)
        )
        connection.execute(
            "UPDATE public.workflow_jobs SET title = 'x', deleted_at = pg_catalog.now() WHERE id = %s", (job,)
        )
        (hidden,) = connection.execute("SELECT rushes.job_hidden(%s) IS NOT NULL", (job,)).fetchone() or (
            None,
        )
        assert hidden
        for table in ("workflow_job_events", "storage_outbox"):
            for where in ("shadow", "pg_temp"):
                assert connection.execute(f"SELECT count(*) FROM {where}.{table}").fetchone() == (0,)
    kinds = shadowed.ask(
        None, "SELECT kind FROM public.workflow_job_events WHERE job_id = %s ORDER BY id", job
    )
    assert [kind for (kind,) in kinds] == ["created", "cancel_requested", "status", "removed"]


@pytest.mark.parametrize("person", [*OTHERS, "owner"])
def test_calling_what_only_triggers_and_the_service_call(stage: Stage, person: str) -> None:
    for call in (
        "rushes.take_turn(NULL, 5::smallint)", "rushes.advance_fair_clock(5::smallint, 1000000)",
        "rushes.log_event(gen_random_uuid(), 'status', '{}')", "rushes.give_turn_back()", "rushes.job_update()",
        "rushes.log_run()", "rushes.discard_job_files()", "rushes.fair_clock(5::smallint)",
    ):  # fmt: skip
        with pytest.raises(InsufficientPrivilege):
            stage.ask(PEOPLE[person], f"SELECT {call}")


def test_an_owner_can_not_give_a_job_away_by_an_update(stage: Stage) -> None:
    with pytest.raises(InsufficientPrivilege):
        stage.touched(OWNER, "UPDATE workflow_jobs SET title = 'x', user_id = %s", STRANGER.user_id)


@pytest.mark.parametrize(
    "tags", ["array_fill('x'::text, ARRAY[51])", "ARRAY[NULL]::text[]", "ARRAY[repeat('x', 5000)]"]
)
def test_columns_that_people_write_are_bounded(stage: Stage, tags: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        stage.touched(OWNER, f"UPDATE workflow_jobs SET tags = {tags}")
    with pytest.raises(psycopg.errors.CheckViolation):
        stage.touched(OWNER, "UPDATE workflow_jobs SET title = repeat('x', 301)")
    with pytest.raises(psycopg.errors.CheckViolation):
        stage.touched(OWNER, "UPDATE workflow_jobs SET visibility = 'everybody'")


def test_the_event_log_is_append_only_even_for_the_service(stage: Stage) -> None:
    with pytest.raises(InsufficientPrivilege):
        stage.ask(None, "UPDATE workflow_job_events SET data = '{}'")
    with pytest.raises(psycopg.errors.GeneratedAlways):
        stage.ask(
            None,
            "INSERT INTO workflow_job_events (id, job_id, kind) VALUES (1, %s, 'x')",
            stage.jobs["public"],
        )


def test_a_person_can_not_take_another_role(stage: Stage) -> None:
    """SET ROLE looks at who connected; so the pool must never hand a connection to a person's own SQL."""
    with stage.acting(Principal(user_id=STRANGER.user_id)) as connection:
        (role,) = connection.execute("SELECT current_user").fetchone() or (None,)
        assert role == "authenticated"
        may = connection.execute(
            "SELECT pg_has_role('authenticated', r, 'MEMBER') FROM unnest(ARRAY['anon', 'service_role']) AS r"
        ).fetchall()
        assert may == [(False,), (False,)]
