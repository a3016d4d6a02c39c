"""Options that several commands share, and the settings that they lead to."""

from pathlib import Path
from typing import Annotated

import typer

from rushes import observability
from rushes.settings import Settings, load

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where the installation lives (default .rushes, or RUSHES_DATA_DIR).",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print data as JSON.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(help="The port to listen on; 0 takes a free one.", min=0, max=65535)]
ComfyUrls = Annotated[
    list[str] | None,
    typer.Option(
        "--comfy-url",
        help="A ComfyUI server, such as http://127.0.0.1:8188; may be repeated.",
        show_default=False,
    ),
]
ServerUrl = Annotated[
    str | None,
    typer.Option(
        "--server", envvar="RUSHES_SERVER", help="A Rushes elsewhere: http://host:8600.", show_default=False
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="RUSHES_TOKEN", help="The token to use there.", show_default=False, show_envvar=True
    ),
]


def settings(data_dir: Path | None, *, quiet: bool = True, comfy_urls: list[str] | None = None) -> Settings:
    """The settings, with logging set up. `quiet`: warnings only, for commands that end."""
    found = load(data_dir=data_dir, comfy_urls=tuple(comfy_urls) if comfy_urls else None)
    observability.configure(found.log, quiet=quiet)
    return found
