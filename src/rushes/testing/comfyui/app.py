"""The routes of one instance, each at /x and /api/x."""

import logging
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp

from rushes.testing.comfyui.about import AboutRoutes
from rushes.testing.comfyui.answers import Json, empty, text, trouble
from rushes.testing.comfyui.faults import parsed
from rushes.testing.comfyui.guards import BodyLimit, Cut, Misbehaviour, OriginCheck
from rushes.testing.comfyui.instance import Instance
from rushes.testing.comfyui.jobs import JobRoutes
from rushes.testing.comfyui.prompts import PromptRoutes
from rushes.testing.comfyui.uploads import UploadRoutes
from rushes.testing.comfyui.view import ViewRoutes

_log = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(instance: Instance, cut: Cut) -> ASGIApp:
    """The ASGI application of an instance; `cut` ends the connection of a scope."""
    routes = _both(_plain_routes(instance))
    routes += [WebSocketRoute(path, instance.hub.serve) for path in ("/ws", "/api/ws")]
    routes += _api_routes(instance)
    if instance.setup.faults_route:
        methods = ["GET", "POST", "DELETE"]
        routes.append(Route("/_demo/faults", _faults_endpoint(instance), methods=methods))
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _http_error},
    )
    app.router.redirect_slashes = False
    limited = BodyLimit(app, instance.setup.max_upload_size)
    return Misbehaviour(OriginCheck(limited, instance.generation.refuses_cross_site), instance.faults, cut)


def _plain_routes(instance: Instance) -> list[tuple[str, str, Endpoint]]:
    prompts, about = PromptRoutes(instance), AboutRoutes(instance)
    uploads, view = UploadRoutes(instance), ViewRoutes(instance)
    return [
        ("GET", "/prompt", prompts.remaining),
        ("POST", "/prompt", prompts.submit),
        ("GET", "/queue", prompts.queue),
        ("POST", "/queue", prompts.change_queue),
        ("POST", "/interrupt", prompts.interrupt),
        ("POST", "/free", prompts.free),
        ("GET", "/history", prompts.history),
        ("POST", "/history", prompts.change_history),
        ("GET", "/history/{prompt_id}", prompts.one_history),
        ("POST", "/upload/image", uploads.image),
        ("POST", "/upload/mask", uploads.mask),
        ("GET", "/view", view.view),
        ("GET", "/object_info", about.object_info),
        ("GET", "/object_info/{class_type}", about.one_object_info),
        ("GET", "/system_stats", about.system_stats),
        ("GET", "/features", about.features),
        ("GET", "/models", about.models),
        ("GET", "/models/{folder}", about.model_folder),
        ("GET", "/embeddings", about.nothing),
        ("GET", "/extensions", about.nothing),
    ]


def _both(plain: list[tuple[str, str, Endpoint]]) -> list[BaseRoute]:
    by_path: dict[str, dict[str, Endpoint]] = {}
    for method, path, endpoint in plain:
        by_path.setdefault(path, {})[method] = endpoint
    return [
        Route(prefix + path, _by_method(endpoints), methods=list(endpoints))
        for path, endpoints in by_path.items()
        for prefix in ("", "/api")
    ]


def _by_method(endpoints: dict[str, Endpoint]) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoints["GET" if request.method == "HEAD" else request.method](request)
        except HTTPException:
            raise
        except Exception:
            _log.debug("answered with 500", exc_info=True)
            return trouble()

    return answer


def _api_routes(instance: Instance) -> list[BaseRoute]:
    if not instance.generation.jobs_api:
        # The old version answers every POST below /api/ with 405, by its route for the front end's files.
        return [Route("/api/{rest:path}", _front_end_files, methods=["GET", "POST"])]
    jobs = JobRoutes(instance)
    return [
        Route("/api/jobs", _by_method({"GET": jobs.list}), methods=["GET"]),
        Route("/api/jobs/cancel", _by_method({"POST": jobs.cancel_many}), methods=["POST"]),
        Route("/api/jobs/{prompt_id}", _by_method({"GET": jobs.one}), methods=["GET"]),
        Route("/api/jobs/{prompt_id}/cancel", _by_method({"POST": jobs.cancel}), methods=["POST"]),
    ]


async def _front_end_files(request: Request) -> Response:
    return empty(404) if request.method in ("GET", "HEAD") else text("405: Method Not Allowed", 405)


def _faults_endpoint(instance: Instance) -> Endpoint:
    async def faults(request: Request) -> Response:
        """GET lists, POST adds one, DELETE ends all (or ?kind=)."""
        if request.method == "DELETE":
            instance.faults.clear(request.query_params.get("kind"))
        elif request.method == "POST":
            try:
                given = parsed(await request.json())
                instance.faults.add(**given)
            except (ValueError, TypeError) as error:
                return Json({"error": str(error)}, 400)
        return Json({"faults": instance.faults.listed()})

    return faults


async def _http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return text("405: Method Not Allowed", 405) if status == 405 else empty(status)
