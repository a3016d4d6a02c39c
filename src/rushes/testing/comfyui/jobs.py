"""/api/jobs, which versions from 0.5.1 on have: queue and history in one view."""

import uuid
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rushes.testing.comfyui.answers import Json
from rushes.testing.comfyui.instance import Instance
from rushes.testing.comfyui.queue import Item

_STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
_NO_PREVIEW = ("latents",)


class Refused(Exception):
    """A query that is answered with 400 and a sentence."""


class JobRoutes:
    """Listing, one, and cancelling."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def list(self, request: Request) -> Response:
        """GET /api/jobs with status, workflow_id, sort_by, sort_order, limit, offset."""
        query = dict(request.query_params)
        try:
            statuses, limit, offset = _statuses(query), _limit(query), _offset(query)
            jobs = sorted(self._all(), key=_sort_key(query), reverse=_is_descending(query))
        except Refused as refusal:
            return Json({"error": str(refusal)}, 400)
        wanted = query.get("workflow_id")
        jobs = [
            job
            for job in jobs
            if job["status"] in statuses and (not wanted or job.get("workflow_id") == wanted)
        ]
        page = jobs[offset:] if limit is None else jobs[offset : offset + limit]
        pagination = {
            "offset": offset,
            "limit": limit,
            "total": len(jobs),
            "has_more": offset + len(page) < len(jobs),
        }
        return Json({"jobs": page, "pagination": pagination})

    async def one(self, request: Request) -> Response:
        """GET /api/jobs/{id}: queue first, then history."""
        prompt_id = request.path_params["prompt_id"]
        running, pending = self._instance.queue.snapshot()
        for items, status in ((running, "in_progress"), (pending, "pending")):
            for item in items:
                if item.prompt_id == prompt_id:
                    return Json(_queued(item, status))
        entry = self._instance.history.one(prompt_id).get(prompt_id)
        return Json({"error": "Job not found"}, 404) if entry is None else Json(_ended(entry, whole=True))

    async def cancel(self, request: Request) -> Response:
        """POST /api/jobs/{id}/cancel."""
        return Json({"cancelled": self._instance.cancel(request.path_params["prompt_id"])})

    async def cancel_many(self, request: Request) -> Response:
        """POST /api/jobs/cancel with job_ids."""
        body = await request.json()
        job_ids = body.get("job_ids") if isinstance(body, dict) else None
        if not isinstance(job_ids, list):
            return Json({"error": "job_ids must be a list"}, 400)
        invalid = [str(each) for each in job_ids if not _is_uuid(each)]
        if invalid:
            return Json({"error": "job_ids contains invalid id(s)", "invalid_ids": invalid}, 400)
        cancelled = [self._instance.cancel(each) for each in job_ids]
        return Json({"cancelled": any(cancelled)})

    def _all(self) -> Iterator[dict[str, Any]]:
        running, pending = self._instance.queue.snapshot()
        yield from (_queued(item, "pending") for item in pending)
        yield from (_queued(item, "in_progress") for item in running)
        yield from (_ended(entry) for entry in self._instance.history.page().values())


def _statuses(query: dict[str, str]) -> list[str]:
    chosen = [each.strip().lower() for each in query.get("status", "").split(",") if each.strip()]
    wrong = [each for each in chosen if each not in _STATUSES]
    if wrong:
        valid = ", ".join(_STATUSES)
        raise Refused(f"Invalid status value(s): {', '.join(wrong)}. Valid values: {valid}")
    return chosen or list(_STATUSES)


def _limit(query: dict[str, str]) -> int | None:
    if "limit" not in query:
        return None
    limit = _integer(query["limit"], "limit")
    if limit <= 0:
        raise Refused("limit must be a positive integer")
    return limit


def _offset(query: dict[str, str]) -> int:
    return max(0, _integer(query.get("offset", "0"), "offset"))


def _integer(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Refused(f"{name} must be an integer") from None


def _sort_key(query: dict[str, str]) -> Any:
    chosen = query.get("sort_by", "created_at")
    if chosen == "created_at":
        return lambda job: job.get("create_time", 0)
    if chosen == "execution_duration":
        return lambda job: job.get("execution_end_time", 0) - job.get("execution_start_time", 0)
    raise Refused("sort_by must be 'created_at' or 'execution_duration'")


def _is_descending(query: dict[str, str]) -> bool:
    chosen = query.get("sort_order", "desc")
    if chosen not in ("asc", "desc"):
        raise Refused("sort_order must be 'asc' or 'desc'")
    return chosen == "desc"


def _is_uuid(given: Any) -> bool:
    try:
        return bool(uuid.UUID(given))
    except (ValueError, TypeError, AttributeError):
        return False


def _queued(item: Item, status: str) -> dict[str, Any]:
    number, prompt_id, _, extra, _ = item.listed()
    return _pruned(
        {
            "id": prompt_id,
            "status": status,
            "priority": number,
            "create_time": extra.get("create_time"),
            "outputs_count": 0,
            "previewable_outputs_count": 0,
            "workflow_id": _workflow_id(extra),
        }
    )


def _ended(entry: dict[str, Any], *, whole: bool = False) -> dict[str, Any]:
    number, prompt_id, prompt, extra, _ = entry["prompt"]
    messages = dict(entry["status"]["messages"])
    last = next(reversed(messages))
    count, previewable, preview = _outputs(entry["outputs"])
    job = _pruned(
        {
            "id": prompt_id,
            "status": {"execution_error": "failed", "execution_interrupted": "cancelled"}.get(
                last, "completed"
            ),
            "priority": number,
            "create_time": extra.get("create_time"),
            "execution_start_time": messages["execution_start"]["timestamp"],
            "execution_end_time": messages[last]["timestamp"],
            "execution_error": messages.get("execution_error"),
            "outputs_count": count,
            "previewable_outputs_count": previewable,
            "preview_output": preview,
            "workflow_id": _workflow_id(extra),
        }
    )
    if whole:
        job["outputs"] = entry["outputs"]
        job["execution_status"] = entry["status"]
        job["workflow"] = {"prompt": prompt, "extra_data": extra}
    return job


def _outputs(outputs: dict[str, Any]) -> tuple[int, int, dict[str, Any] | None]:
    count = previewable = 0
    best: dict[str, Any] | None = None
    for node, shown in outputs.items():
        for key, items in shown.items():
            files = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
            count += len(files)
            if key in _NO_PREVIEW:
                continue
            previewable += len(files)
            for item in files:
                better = best is None or (best.get("type") != "output" and item.get("type") == "output")
                if better and "filename" in item and key != "files":
                    best = {**item, "nodeId": node, "mediaType": key}
    return count, previewable, best


def _workflow_id(extra: dict[str, Any]) -> Any:
    # One entry whose extra_pnginfo or workflow is null makes the whole listing a 500, as in the real server.
    return extra.get("extra_pnginfo", {}).get("workflow", {}).get("id")


def _pruned(job: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in job.items() if value is not None}
