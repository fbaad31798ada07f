"""The scoring server with a real model in skops' format: each form of a request, and not a word of it on any output."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fabriek.node import scoring_inside
from tests.factories.waiting import until

MAKE_AND_SERVE = """
import runpy, sys, numpy as np, skops.io
from sklearn.linear_model import LinearRegression
x = np.array([[1.0, 1.0], [2.0, 0.0], [3.0, 2.0]])
program, place, port = sys.argv[1:]
skops.io.dump(LinearRegression().fit(x, x[:, 0] + 2 * x[:, 1]), place + "/model.skops")
sys.argv[:] = [program, place, port]
runpy.run_path(program, run_name="__main__")
"""


@dataclass
class Server:
    port: int
    process: "subprocess.Popen[bytes]"

    def ask(self, method: str, path: str, body: str = "", kind: str = "application/json") -> tuple[int, str]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        line.request(method, path, body=body.encode(), headers={"Content-Type": kind})
        answer = line.getresponse()
        found = answer.status, answer.read().decode()
        line.close()
        return found

    def is_well(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("scoring")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [sys.executable, "-c", MAKE_AND_SERVE, scoring_inside.__file__, str(place), str(port)]
    with (place / "output").open("wb") as output:
        made = Server(port, subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT))
        try:
            assert until(made.is_well, seconds_max=90)
            yield made
        finally:
            made.process.kill()
            made.process.wait()
    assert "canary" not in (place / "output").read_text()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"inputs": [[1, 2], [3, 4]]}', "application/json"),
        ('{"instances": [[1, 2], [3, 4]]}', "application/json; charset=utf-8"),
    ],
)
def test_predictions_come_as_mlflow_writes_them(server: Server, body: str, kind: str) -> None:
    status, said = server.ask("POST", "/invocations", body, kind)
    assert (status, json.loads(said)["predictions"]) == (200, pytest.approx([5.0, 11.0]))


WRONG = {
    "empty": "",
    "cut": "{",
    "list": "[]",
    "no form": "{}",
    "two forms": '{"inputs": [], "instances": []}',
    "text": '{"inputs": "canary"}',
    "no number": '{"inputs": [["canary", 1]]}',
    "deep": "[" * 50_000,
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
def test_what_the_model_cannot_read_is_told_to_who_sent_it(server: Server, body: str) -> None:
    status, said = server.ask("POST", "/invocations", body)
    assert (status, json.loads(said)["error_code"]) == (400, "BAD_REQUEST")


def test_it_says_that_it_is_well_and_speaks_nothing_else(server: Server) -> None:
    assert [server.ask("GET", f"/{one}")[0] for one in ("ping", "health", "version")] == [200, 200, 200]
    assert server.ask("GET", "/etc/passwd")[0] == 404
    assert server.ask("POST", "/predict", "{}")[0] == 404
