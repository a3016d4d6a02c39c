"""What a Supabase project has and a plain PostgreSQL lacks: three roles and a small schema `auth`.

Outside the migrations, which run on Supabase as they are. Only what is missing is made.
"""

from importlib import resources
from typing import LiteralString

from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow

from rushes.domain.errors import InvalidSetting

OLDEST_SERVER = 150000

# What to ask an administrator for, by the step that wasn't allowed.
_ASK: dict[str, LiteralString] = {
    "roles": "CREATE ROLE anon NOLOGIN; CREATE ROLE authenticated NOLOGIN; CREATE ROLE service_role NOLOGIN; "
    "GRANT anon, authenticated, service_role TO {user};",
    "membership": "GRANT anon, authenticated, service_role TO {user};",
    "auth": "GRANT CREATE ON DATABASE {database} TO {user};",
}


async def prepare(connection: AsyncConnection[TupleRow]) -> None:
    """Make what is missing of roles and schema auth. Raises InvalidSetting with what to ask the DBA for."""
    check_version(connection)
    for step in _ASK:
        try:
            async with connection.transaction():
                # one process of this database at a time
                await connection.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended('rushes:bootstrap', 0))"
                )
                await connection.execute(_script(step))
        except errors.InsufficientPrivilege as error:
            raise _refused(step, connection, error) from error


def check_version(connection: AsyncConnection[TupleRow]) -> None:
    """Raises InvalidSetting on a server older than PostgreSQL 15."""
    version = connection.info.server_version
    if version < OLDEST_SERVER:
        raise InvalidSetting(
            f"Rushes needs PostgreSQL 15 or newer, and this server is {version // 10000}: upgrade it, "
            "or leave RUSHES_DATABASE_URL unset to use the embedded one."
        )


def _script(step: str) -> LiteralString:
    return resources.files(__name__).joinpath(f"{step}.sql").read_text("utf-8")


def _refused(
    step: str, connection: AsyncConnection[TupleRow], error: errors.InsufficientPrivilege
) -> InvalidSetting:
    user, database = connection.info.user, connection.info.dbname
    ask = _ASK[step].format(user=f'"{user}"', database=f'"{database}"')
    return InvalidSetting(
        f"The database user {user} may not set up what Rushes needs ({error.diag.message_primary}). "
        f"Ask an administrator of the database to run: {ask}"
    )
