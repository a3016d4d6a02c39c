"""Where things are, in a checkout and in an installed package."""

from pathlib import Path

import rushes

_PACKAGE = Path(rushes.__file__).parent
_CHECKOUT = _PACKAGE.parent.parent


def shipped_workflows() -> Path:
    """The eight workflow types that come with Rushes."""
    packaged = _PACKAGE / "_workflows"
    return packaged if packaged.is_dir() else _CHECKOUT / "workflows"


def page() -> Path | None:
    """The built front end, or None where it wasn't built."""
    for folder in (_PACKAGE / "web" / "static", _CHECKOUT / "web" / "dist"):
        if (folder / "index.html").is_file():
            return folder
    return None
