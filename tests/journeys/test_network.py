"""A job that named a host reaches it, and its statement of origin says so."""

import base64
import http.server
import json
import socket
import threading
from pathlib import Path

import httpx
import pytest

from tests.factories.waiting import until
from tests.servers.factory import quickstarted, why_no_jobs

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(300)]

NAME = socket.gethostname().lower()


def test_a_statement_names_the_hosts_that_a_job_reached(tmp_path: Path) -> None:
    if reason := why_no_jobs():
        pytest.skip(reason)
    found = {str(one[4][0]) for one in socket.getaddrinfo(NAME, 0, socket.AF_INET)}
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with http.server.ThreadingHTTPServer((found.pop(), 0), http.server.SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        host = f"{NAME}:{server.server_address[1]}"
        (home / "fabriek.toml").write_text(f'job_network_hosts = "{host}, 127.0.0.0/8"\n')
        with quickstarted(home) as factory:
            done = factory.run(
                "run",
                "--network",
                host,
                "--json",
                "--",
                "curl",
                "-sSo",
                "/output/page",
                f"http://{host}/pyproject.toml",
            )
            assert done.returncode == 0, done.stderr
            job = json.loads(done.stdout)["id"]
            refused = factory.run("run", "--network", "elsewhere.example", "--", "true")
            assert (refused.returncode, "elsewhere.example:443" in refused.stderr) == (5, True)
            path = f"{factory.url}/api/v1/projects/playground/jobs/{job}/statement"
            statement = until(lambda: asked(path, factory.variables["FABRIEK_TOKEN"]))
            told = factory.run("audit", "ls", "--subject", job, "--json").stdout
        server.shutdown()
    assert host in told, told
    payload = base64.b64decode(json.loads(json.loads(statement)["envelope"])["payload"])
    assert json.loads(payload)["predicate"]["buildDefinition"]["internalParameters"]["reached"] == {host: 1}


def asked(path: str, token: str) -> str:
    """Empty until the job is settled."""
    answer = httpx.get(path, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    return answer.text if answer.status_code == 200 else ""
