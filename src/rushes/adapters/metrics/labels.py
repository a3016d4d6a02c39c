"""Label values that stay few, whatever names come in."""

from collections.abc import Callable, Iterable

OTHER = "other"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class TypeNames:
    """Workflow types as labels: names that the catalog has or had, else `other`.

    Types that are removed keep their label, as jobs of theirs may still run; who may add one may write its folder.
    """

    def __init__(self, installed: Callable[[], Iterable[str]]) -> None:
        self._installed = installed
        self.seen: frozenset[str] = frozenset()

    def __call__(self, workflow_type: str) -> str:
        if workflow_type not in self.seen:
            self.seen |= frozenset(self._installed())
        return workflow_type if workflow_type in self.seen else OTHER


def method_label(name: str) -> str:
    """A request's method, of those that exist."""
    return name if name in METHODS else OTHER
