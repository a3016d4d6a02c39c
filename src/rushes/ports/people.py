"""Accounts and workflow types."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from rushes.domain.principal import Principal
from rushes.domain.workflow import Workflow


class Accounts(Protocol):
    """Local accounts: anonymous people by cookie, and the administrator."""

    async def anonymous(self) -> Principal:
        """A new anonymous account."""
        ...

    async def administrator(self) -> Principal:
        """The installation's administrator, made when it is first asked for."""
        ...

    async def find(self, user_id: UUID) -> Principal | None: ...


class WorkflowCatalog(Protocol):
    """The workflow types that are installed."""

    def list(self) -> Sequence[Workflow]: ...

    def broken(self) -> dict[str, str]:
        """Folders that can't be used, and why."""
        ...

    def get(self, workflow_type: str) -> Workflow:
        """Raises UnknownWorkflow, which names near matches."""
        ...
