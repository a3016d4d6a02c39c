"""How a long command behaves beside the app that it takes over."""

import os

_NICENESS = 19


def give_way() -> None:
    """Let everything else on this machine go first, the old app and its database above all.

    Call it after the database was opened: one that this process starts may outlive it.
    """
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
