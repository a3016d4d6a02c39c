"""rushes users: people, on the installation's own database."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any
from uuid import UUID

import typer

from rushes.bootstrap.installation import Installation, open_installation
from rushes.cli.options import AsJson, DataDir, settings
from rushes.cli.output import say, show, show_json, table
from rushes.domain.errors import NotFound
from rushes.domain.principal import Principal
from rushes.services.accounts import Link

users = typer.Typer(help="People: add, list, administrators, limits, password links.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(metavar="EMAIL", help="An e-mail address, or an account's id.")]
Limit = Annotated[str | None, typer.Option(help="A number, off, or usual.", show_default=False)]
Url = Annotated[
    str | None,
    typer.Option(
        "--url", help="The page's address in the link; default RUSHES_PUBLIC_URL.", show_default=False
    ),
]
PAGE = 200
USUAL_URL = "http://127.0.0.1:8600"
# The command line may do everything: it has the database. So an installation's first administrator can be made here.
OPERATOR = Principal(is_admin=True)


@asynccontextmanager
async def _open(data_dir: Any) -> AsyncIterator[Installation]:
    async with open_installation(settings(data_dir)) as at:
        yield at


async def id_of(at: Installation, who: str) -> UUID:
    """The account of an address or an id. Raises NotFound."""
    found = await at.accounts.id_of(who.strip())
    if found is None:
        with suppress(ValueError):
            account = await at.accounts.find(UUID(who))
            found = account.principal.user_id if account else None
    if found is not None:
        return found
    raise NotFound(f"There is no account {who}. `rushes users list` shows them.")


@users.command("list")
def list_users(
    q: Annotated[str | None, typer.Option("--q", help="A part of the address.", show_default=False)] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Everybody, newest first, and what they use."""

    async def run() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async with _open(data_dir) as at:
            while True:
                after = UUID(found[-1]["id"]) if found else None
                page = json.loads(await at.people.desk.page(OPERATOR, words=q, after=after, limit=PAGE))
                found += page
                if len(page) < PAGE:
                    return found

    rows = asyncio.run(run())
    if as_json:
        show_json(rows)
        return
    table(("id", "e-mail", "is", "stored", "jobs in 24 h", "waiting", "running"), [_row(row) for row in rows])


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    marks = [word for word, on in (
        ("anonymous", row["is_anonymous"]), ("administrator", row["is_admin"]), ("disabled", row["disabled_at"]),
    ) if on]  # fmt: skip
    use = row["use"]
    return (
        row["id"],
        row["email"] or "",
        ", ".join(marks),
        f"{use['bytes_stored'] / 1024**2:.1f} MB",
        str(use["jobs_per_day"]),
        str(use["jobs_waiting"]),
        str(use["jobs_running"]),
    )


@users.command()
def add(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The person's address.")],
    admin: Annotated[bool, typer.Option("--admin", help="Make an administrator.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """A new account; prints the link by which its owner sets a password."""

    async def run() -> None:
        async with _open(data_dir) as at:
            _, link = await at.people.desk.add(OPERATOR, email, is_admin=admin)
            _show_link(at, link, url)

    asyncio.run(run())


@users.command()
def link(who: Who, url: Url = None, data_dir: DataDir = None) -> None:
    """A link by which somebody sets a new password, once, within a day."""

    async def run() -> None:
        async with _open(data_dir) as at:
            _show_link(at, await at.people.desk.link(OPERATOR, await id_of(at, who)), url)

    asyncio.run(run())


def _show_link(at: Installation, made: Link, url: str | None) -> None:
    show(made.url(url or at.settings.public_url or USUAL_URL))
    say(f"It works once, until {made.expires_at:%Y-%m-%d %H:%M} UTC.")


@users.command()
def admin(
    who: Who,
    remove: Annotated[bool, typer.Option("--remove", help="Take the right away.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Make somebody an administrator."""

    async def run() -> None:
        async with _open(data_dir) as at:
            await at.people.desk.set_admin(OPERATOR, await id_of(at, who), not remove)
        say("no longer an administrator" if remove else "an administrator now")

    asyncio.run(run())


@users.command()
def disable(who: Who, data_dir: DataDir = None) -> None:
    """Keep somebody out: sessions and keys stop working; jobs and files stay."""
    _set_disabled(who, data_dir, True)


@users.command()
def enable(who: Who, data_dir: DataDir = None) -> None:
    """Let somebody in again."""
    _set_disabled(who, data_dir, False)


def _set_disabled(who: str, data_dir: Any, wanted: bool) -> None:
    async def run() -> None:
        async with _open(data_dir) as at:
            await at.people.desk.set_disabled(OPERATOR, await id_of(at, who), wanted)
        say("disabled" if wanted else "enabled")

    asyncio.run(run())


@users.command()
def limits(
    who: Who,
    stored_gb: Limit = None,
    jobs_per_day: Limit = None,
    jobs_waiting: Limit = None,
    jobs_running: Limit = None,
    upload_mb: Limit = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Show somebody's limits and use, or set limits; `usual` is the installation's again."""
    asked = {
        "bytes_stored": _figure(stored_gb, 1024**3),
        "jobs_per_day": _figure(jobs_per_day),
        "jobs_waiting": _figure(jobs_waiting),
        "jobs_running": _figure(jobs_running),
        "upload_bytes": _figure(upload_mb, 1024**2),
    }
    changes = {name: value[0] for name, value in asked.items() if value}

    async def run() -> dict[str, Any]:
        async with _open(data_dir) as at:
            user_id = await id_of(at, who)
            if changes:
                await at.people.limits.change(OPERATOR, user_id, changes)
            allowance = await at.people.limits.allowance(user_id)
            return {"limits": allowance.limits, "use": allowance.use}

    found = asyncio.run(run())
    if as_json:
        show_json(found)
        return
    table(
        ("", "limit", "used"),
        [
            (name, _shown(name, limit), str(found["use"].get(name, "")))
            for name, limit in found["limits"].items()
        ],
    )


def _shown(name: str, limit: int | None) -> str:
    if limit is None:
        return "usual" if name == "upload_bytes" else "off"
    return str(limit)


def _figure(text: str | None, unit: int = 1) -> list[int | str | None]:
    """Nothing for an option that wasn't given, else its one value."""
    if text is None:
        return []
    if text in ("off", "usual"):
        return ["off" if text == "off" else None]
    try:
        return [int(float(text) * unit)]
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text} is neither a number nor off nor usual") from None
