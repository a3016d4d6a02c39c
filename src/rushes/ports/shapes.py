"""What several ports speak of."""

from typing import Any

Json = dict[str, Any]
