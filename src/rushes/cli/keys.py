"""rushes keys: API keys, on the installation's own database."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from rushes.bootstrap.installation import Installation, open_installation
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show, show_json, table
from rushes.cli.users import OPERATOR, id_of
from rushes.domain.principal import Principal

keys = typer.Typer(help="API keys for scripts: create, list, revoke.", no_args_is_help=True)

User = Annotated[
    str | None,
    typer.Option("--user", metavar="EMAIL", help="Whose; default the administrator.", show_default=False),
]


async def _owner(at: Installation, user: str | None) -> Principal:
    if user is None:
        return await at.accounts.administrator()
    found = await at.accounts.find(await id_of(at, user))
    assert found is not None
    return found.principal


@keys.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    user: User = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="read, submit or admin; may be repeated (default read and submit).", show_default=False
        ),
    ] = None,
    days: Annotated[
        int | None, typer.Option(help="For how many days it is valid.", min=1, max=36500, show_default=False)
    ] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """A new key, which is shown only now."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None

    async def run() -> dict[str, Any]:
        async with open_installation(settings(data_dir)) as at:
            made, secret = await at.people.keys.create(
                await _owner(at, user), name=name, scopes=scope or ["read", "submit"], expires_at=expires_at
            )
            return {**json.loads(made), "key": secret}

    made = asyncio.run(run())
    if as_json:
        show_json(made)
    else:
        show(made["key"])


@keys.command("list")
def list_keys(user: User = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Somebody's keys, newest first."""

    async def run() -> list[dict[str, Any]]:
        async with open_installation(settings(data_dir)) as at:
            found: list[dict[str, Any]] = json.loads(await at.people.keys.list(await _owner(at, user)))
            return found

    rows = asyncio.run(run())
    if as_json:
        show_json(rows)
        return
    table(("id", "name", "key", "scopes", "last used", "state"), [_row(row) for row in rows])


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    state = "revoked" if row["revoked_at"] else ""
    if not state and row["expires_at"]:
        over = datetime.fromisoformat(row["expires_at"]) <= datetime.now(UTC)
        state = "expired" if over else f"until {row['expires_at'][:10]}"
    return (
        row["id"],
        row["name"],
        f"{row['prefix']}…",
        ", ".join(row["scopes"]),
        (row["last_used_at"] or "")[:16],
        state,
    )


@keys.command()
def revoke(
    key_id: Annotated[UUID, typer.Argument(metavar="ID", help="The key's id, from `rushes keys list`.")],
    data_dir: DataDir = None,
) -> None:
    """Revoke a key, whoever has it; it is dead at once."""

    async def run() -> None:
        async with open_installation(settings(data_dir)) as at:
            await at.people.keys.revoke(OPERATOR, key_id)
        say("revoked")

    asyncio.run(run())
