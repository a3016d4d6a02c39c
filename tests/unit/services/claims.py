"""Claims to work on."""

from typing import Any
from uuid import UUID, uuid4

from rushes.ports import Claim

SERVER_ID = UUID(int=7)


def claim(**changes: Any) -> Claim:
    job_id = changes.pop("job_id", None) or uuid4()
    whole: dict[str, Any] = {
        "job_id": job_id,
        "lease_token": 1,
        "workflow_type": "img2img",
        "workflow_name": "preview.json",
        "user_id": UUID(int=1),
        "inputs": {},
        "attempt": 1,
        "max_attempts": 3,
        "prompt_id": str(job_id),
        "server_id": SERVER_ID,
        "server_url": "http://gpu:8188",
        **changes,
    }
    return Claim(**whole)
