"""The workflow types that ship, as data for tests of what is done with any."""

from functools import cache
from pathlib import Path

from rushes.adapters.catalog import FolderCatalog
from rushes.domain.workflow import Workflow

SHIPPED = Path(__file__).parents[3] / "workflows"


@cache
def shipped(workflow_type: str) -> Workflow:
    return FolderCatalog([SHIPPED]).get(workflow_type)
