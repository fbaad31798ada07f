"""The least that a tracking server can do and still keep what it acknowledged: one row and one commit a call, and nothing of what MLflow means.

`python -m benches.lab_commit_only FILE PORT`. It checks no right, keeps no run and answers no question: what MLflow's client reaches against
it is what that client can reach at all on this machine.
"""

import json
import sqlite3
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

API = "/api/2.0/mlflow"
RUN = {
    "info": {"run_id": "0" * 32, "run_uuid": "0" * 32, "experiment_id": "1", "status": "RUNNING", "artifact_uri": "mlflow-artifacts:/1",
             "lifecycle_stage": "active", "start_time": 0},
    "data": {},
}  # fmt: skip


def app(file: str) -> Starlette:
    """In its event loop, without threads: nothing to hand over, nothing to wait for but the disk."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.executescript("pragma journal_mode=wal; pragma synchronous=full; create table if not exists rows (body)")

    async def keep(request: Request) -> JSONResponse:
        body = await request.body()
        json.loads(body)
        connection.execute("insert into rows values (?)", (body[:200],))
        if request.url.path.endswith("/experiments/create"):
            return JSONResponse({"experiment_id": "1"})
        return JSONResponse({"run": RUN} if request.url.path.endswith("/runs/create") else {})

    calls = ("experiments/create", "runs/create", "runs/log-metric", "runs/log-batch")
    return Starlette(routes=[Route(f"{API}/{call}", keep, methods=["POST"]) for call in calls])


if __name__ == "__main__":
    uvicorn.run(
        app(sys.argv[1]), port=int(sys.argv[2]), loop="uvloop", http="httptools", log_config=None, access_log=False
    )
