"""`python -m bench.http.server ours|bare`: a server in a process of its own, as `controlplane serve` is."""

from __future__ import annotations

import sqlite3
import sys
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from api.app import create_app
from controlplane import wiring
from controlplane.terminal.serving import answer, bind

_COLUMNS = "uid, slug, stage, size, phase, region, created_at, monthly_usd"


def bare(file: str) -> FastAPI:
    """What FastAPI does by itself: one query over an index, its columns, an answer."""
    app = FastAPI(openapi_url=None)
    connection = sqlite3.connect(file)
    connection.row_factory = sqlite3.Row

    @app.get("/bare/{slug}")
    async def one(slug: str) -> Response:
        query = f"SELECT {_COLUMNS} FROM tenant WHERE slug = ?"
        return JSONResponse(dict(connection.execute(query, (slug,)).fetchone()))

    @app.get("/bare")
    async def page(size: int) -> Response:
        query = f"SELECT {_COLUMNS} FROM tenant ORDER BY slug LIMIT ?"
        return JSONResponse({"items": [dict(row) for row in connection.execute(query, (size,))]})

    return app


def main(which: str) -> None:
    settings = wiring.load_settings()
    app: Any = (
        create_app(wiring.control(settings)) if which == "ours" else bare(str(wiring.sqlite_file(settings)))
    )
    listening = bind("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    answer(app, listening)


if __name__ == "__main__":
    main(sys.argv[1])
