"""The least that the window's HTTP could be: `python -m benchmarks.echo PORT` gives back what it gets."""

import sys

import uvicorn
from fastapi import FastAPI, Request, Response

app = FastAPI()


@app.post("/")
async def echo(request: Request) -> Response:
    """Give the body back."""
    return Response(await request.body(), media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
