"""The window's app: API, page, and what surrounds them."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from connectors.receipts import answering
from connectors.settings import Settings, read_settings
from deploy.window import verification
from deploy.window.api import Reception, add_health, router
from deploy.window.guard import Guard
from deploy.window.problems import tell_problems
from deploy.window.protocol import BoundedProtocol
from flows.window import Window
from schemas.catalogue.grammar import Catalogue

_SWITCH_SECONDS: Final = 0.0005
_PAGE: Final = Path(__file__).parent / "page"


def make_app(settings: Settings) -> FastAPI:
    """Return the app of one window. The caller holds its place (`answering`).

    Raises what reading the catalogue and the keys raises.
    """
    reception = Reception(Window(settings))

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        reception.window.close()

    app = FastAPI(
        title="Mianti 免提",
        version=version("mianti"),
        description="Which papers an enterprise need not bring, with proof · 免提交查询",
        lifespan=life,
        docs_url=None,  # these pages would load from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # Starlette's redirects name the host that a proxy has asked
    )
    app.state.reception = reception
    app.state.verifications = verification.Verifications()
    tell_problems(app)
    app.include_router(router)
    app.include_router(verification.router)
    add_health(app)
    _add_page(app)
    _name_matters(app, reception.window.catalogue)
    app.add_middleware(Guard, metrics=reception.metrics)
    return app


def _add_page(app: FastAPI) -> None:
    """Below a path of its own: at `/` it would answer for every wrong method of the API.

    Redirects are relative, so that they lead right below any path of a reverse proxy.
    """

    @app.get("/", include_in_schema=False)
    @app.get("/page", include_in_schema=False)
    async def start() -> Response:
        return RedirectResponse("page/")

    app.mount("/page", StaticFiles(directory=_PAGE, html=True), name="page")


def _name_matters(app: FastAPI, found: Catalogue) -> None:
    """Let the description list what may be asked."""
    schemas = app.openapi()["components"]["schemas"]
    schemas["MatterAsked"]["properties"]["matter"]["enum"] = [*found.matters]
    if found.bundles:
        schemas["BundleAsked"]["properties"]["bundle"]["enum"] = [*found.bundles]


def serve(settings: Settings, port: int) -> None:
    """Answer until told to end. Raises WindowBusy."""
    # Searches have threads of their own; Python's 5 ms to wait for one are half of an answer.
    sys.setswitchinterval(_SWITCH_SECONDS)
    with answering(settings.mianti_window):
        app = make_app(settings)
        # What is there now stays, and an answer makes thousands of objects and few circles.
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        uvicorn.Server(server_config(app, settings.mianti_window_host, port)).run()


def server_config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    """Return how a window is served: plain HTTP with the bounds of `BoundedProtocol`."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        ws="none",
        log_level="warning",
        access_log=False,  # a question names an enterprise; the receipts say who asked
        server_header=False,
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    read = read_settings()
    if read.mianti_window_port is None:
        raise SystemExit("MIANTI_WINDOW_PORT must be set")
    serve(read, read.mianti_window_port)
