"""The ASGI application."""

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI

from rushes import __version__
from rushes.ports import Metrics
from rushes.web import (
    errors,
    events,
    files,
    health,
    jobs,
    keys,
    limits,
    me,
    page,
    people,
    reference,
    servers,
    sign_in,
    submit,
    trash,
    uploads,
    workflows,
)
from rushes.web.context import Context
from rushes.web.hosts import KnownHosts
from rushes.web.middleware import Surroundings

DESCRIPTION = "Jobs, results and live feed in front of ComfyUI. Lists are paged by cursor, newest first."

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    context: Context | None,
    *,
    lifespan: Lifespan | None = None,
    form_limit: int = 1024**3,
    metrics: Metrics | None = None,
    hosts: Collection[str] | None = None,
) -> FastAPI:
    """The API and the page. Without a context only its OpenAPI can be asked for.

    `hosts` are the names under which people reach it, beside those of this machine; None takes any.
    """
    app = FastAPI(
        title="Rushes",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    errors.install(app)
    if hosts is not None:
        app.add_middleware(KnownHosts, names=hosts)
    app.add_middleware(Surroundings, form_limit=form_limit, metrics=metrics)
    for room in (
        health, me, sign_in, keys, limits, people, workflows, uploads, submit, trash, jobs, servers, events, files,
        page, reference,
    ):  # fmt: skip
        app.include_router(room.router)
    return app
