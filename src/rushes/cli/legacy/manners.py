"""How a long command behaves beside the app that it takes over."""

import os
from multiprocessing import parent_process
from threading import Thread

_NICENESS = 19


def give_way() -> None:
    """Let everything else on this machine go first, the old app and its database above all.

    Call it after the database was opened: one that this process starts may outlive it.
    """
    if hasattr(os, "nice"):
        os.nice(_NICENESS)


def end_with_parent() -> None:
    """In a process of a pool: end when the one that made it was killed, instead of working and then waiting on."""
    Thread(target=_outlived, daemon=True).start()


def _outlived() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
