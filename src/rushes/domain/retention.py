"""How long what is kept: the installation's rules, and those of workflow types."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from rushes.domain.fields import Frozen

Days = Annotated[float, Field(gt=0)] | Literal["off"] | None
STATUSES = ("completed", "failed", "cancelled")


class RetainDays(Frozen):
    """A type's own days by status: `off` is for ever, None what the installation says."""

    completed: Days = None
    failed: Days = None
    cancelled: Days = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """Days after which something goes for good; None is never."""

    completed: float | None = None
    failed: float | None = 7
    cancelled: float | None = 7
    trash: float | None = 30
    events: float | None = 90

    def days(self, status: str, own: RetainDays | None = None) -> float | None:
        """Of a job that ended with that status."""
        said = getattr(own, status) if own else None
        if said == "off":
            return None
        usual: float | None = getattr(self, status)
        return usual if said is None else float(said)

    def concerns(self, types: Mapping[str, RetainDays]) -> tuple[str, ...]:
        """The statuses with which any job ever goes."""
        return tuple(
            status
            for status in STATUSES
            if self.days(status) is not None
            or any(self.days(status, own) is not None for own in types.values())
        )
