"""What must hold for every table, view, function and policy of ours, also for those that don't exist yet."""

import pytest

from tests.integration.schema.people import Stage

OURS = "('public'::regnamespace, 'rushes'::regnamespace, 'rushes_legacy'::regnamespace)"


def names(stage: Stage, statement: str) -> list[str]:
    return [str(name) for (name,) in stage.connection.execute(statement)]


def test_row_level_security_is_on_and_forced_everywhere(stage: Stage) -> None:
    assert not names(
        stage,
        f"""
        SELECT oid::regclass FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace IN {OURS} AND NOT (relrowsecurity AND relforcerowsecurity)""",
    )


def test_every_table_has_a_policy_for_the_service_role(stage: Stage) -> None:
    assert not names(
        stage,
        f"""
        SELECT oid::regclass FROM pg_class AS c
        WHERE relkind IN ('r', 'p') AND relnamespace IN {OURS} AND NOT EXISTS (
            SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polpermissive
            AND p.polroles = ARRAY['service_role'::regrole::oid]
            AND pg_get_expr(p.polqual, p.polrelid) = 'true' AND pg_get_expr(p.polwithcheck, p.polrelid) = 'true')""",
    )


def test_no_policy_is_for_everybody(stage: Stage) -> None:
    assert not names(stage, "SELECT polrelid::regclass FROM pg_policy WHERE 0 = ANY (polroles)")


def test_one_policy_decides_for_a_role_and_command(stage: Stage) -> None:
    """Several permissive ones would be worked out for every row, each."""
    assert not names(
        stage,
        """
        SELECT p.polrelid::regclass || ' ' || role::regrole
        FROM pg_policy AS p, unnest(p.polroles) AS role
        WHERE p.polrelid::regclass::text NOT LIKE 'auth.%'
        GROUP BY p.polrelid, role, p.polcmd HAVING count(*) > 1""",
    )


def test_policies_ask_who_it_is_once_a_statement(stage: Stage) -> None:
    rows = stage.connection.execute("""
        SELECT polrelid::regclass || '.' || polname,
               coalesce(pg_get_expr(polqual, polrelid), '') || coalesce(pg_get_expr(polwithcheck, polrelid), '')
        FROM pg_policy""")
    for policy, text in rows:
        for call in ("auth.uid()", "rushes.is_admin()", "rushes.is_member()", "auth.jwt()"):
            assert text.count(call) == text.count(f"SELECT {call}"), (policy, text)


def test_every_function_has_a_search_path_of_its_own(stage: Stage) -> None:
    """Supabase's advisors want it of all functions, not only of definers."""
    assert not names(
        stage,
        f"""
        SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace IN {OURS} AND NOT coalesce('search_path=""' = ANY (proconfig), false)""",
    )


def test_no_function_is_for_everybody(stage: Stage) -> None:
    assert not names(
        stage,
        f"""
        SELECT oid::regprocedure FROM pg_proc AS p
        WHERE pronamespace IN {OURS} AND EXISTS (
            SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
            WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')""",
    )


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_people_call_only_these_definer_functions(stage: Stage, role: str) -> None:
    """Each of them carries the visibility rule inside; a new one belongs in this list only with a test of that."""
    found = names(
        stage,
        f"""
        SELECT proname FROM pg_proc
        WHERE pronamespace IN {OURS} AND prosecdef AND has_function_privilege('{role}', oid, 'EXECUTE') ORDER BY 1""",
    )
    everybodys = {"feed_rows", "bridge_cards", "bridge_one", "bridge_rows"}
    assert set(found) <= {"anon": everybodys, "authenticated": everybodys | {"job_hidden"}}[role]


def test_views_read_as_their_caller(stage: Stage) -> None:
    assert not names(
        stage,
        f"""
        SELECT oid::regclass FROM pg_class
        WHERE relkind = 'v' AND relnamespace IN {OURS}
          AND NOT coalesce('security_invoker=true' = ANY (reloptions), false)""",
    )
    assert not names(
        stage, f"SELECT oid::regclass FROM pg_class WHERE relkind = 'm' AND relnamespace IN {OURS}"
    )


def test_every_foreign_key_that_cascades_has_an_index(stage: Stage) -> None:
    """Deleting an account or a job would otherwise read whole tables."""
    assert not names(
        stage,
        f"""
        SELECT conrelid::regclass || ' ' || conname FROM pg_constraint AS c
        WHERE contype = 'f' AND connamespace IN {OURS} AND NOT EXISTS (
            SELECT FROM pg_index AS i
            WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND cardinality(c.conkey) = 1
              AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = format('(%s IS NOT NULL)',
                   (SELECT attname FROM pg_attribute WHERE attrelid = c.conrelid AND attnum = c.conkey[1]))))""",
    )
