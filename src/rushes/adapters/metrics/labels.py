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
        self._known: frozenset[str] = frozenset()

    def __call__(self, workflow_type: str) -> str:
        if workflow_type not in self._known and workflow_type not in self.known():
            return OTHER
        return workflow_type

    def known(self) -> frozenset[str]:
        """All names that may be labels by now."""
        self._known |= frozenset(self._installed())
        return self._known


def method_label(name: str) -> str:
    """A request's method, of those that exist."""
    return name if name in METHODS else OTHER
