"""rushes legacy: take over a legacy database, step by step."""

from importlib import import_module
from importlib.util import find_spec

import typer

# In the order in which they are used; each is a function in a module of this package.
COMMANDS = {
    "inspect": "inspect:inspect",
    "phase1": "phase1:phase1",
    "bridge": "bridge:bridge",
    "files": "files:files",
    "migrate": "migrate:migrate",
    "verify": "verify:verify",
    "cutover": "cutover:cutover",
    "rollback": "cutover:rollback",
    "archive": "archive:archive",
}

legacy = typer.Typer(
    help="Take over the old tables: look, copy, check, cut over, undo. Every step can be run again.",
    no_args_is_help=True,
)
for name, place in COMMANDS.items():
    module, _, attribute = place.partition(":")
    if find_spec(f"{__name__}.{module}"):
        legacy.command(name)(getattr(import_module(f"{__name__}.{module}"), attribute))
