"""The one error of this folder."""


class Unreadable(Exception):
    """A file can't be looked into; the message says why, to the person whose file it is."""
