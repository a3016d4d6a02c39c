"""rushes openapi."""

import json

from rushes.cli.output import show
from rushes.web.app import create_app


def openapi() -> None:
    """Print the API's description (OpenAPI 3.1) as JSON."""
    show(json.dumps(create_app(None).openapi(), indent=1, ensure_ascii=False))
