"""The program that fetches a model within a job and starts what answers: against a real lab's interface, and real commands."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from fabriek.node import serving_inside
from fabriek.node.serving_inside import ARTIFACTS, command_of, digest_of
from tests.factories.waiting import until

FILES = {"model.gguf": b"weights" * 1000, "a/b/ä b.json": b"{}", "a/c": b""}
PLACE = "0/models/m-1/artifacts"
SERVER = """
import http.server, sys
print("loading", flush=True)
class App(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print("asked:", self.rfile.read(int(self.headers["Content-Length"])), flush=True)
        self.send_response(200); self.end_headers()
        sys.exit(7) if self.path == "/end" else None
    def handle_error(self, *said): raise
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), App)
server.handle_error = lambda *said: sys.exit(7)
server.serve_forever()
"""


class Lab(BaseHTTPRequestHandler):
    """Files as the lab lists and gives them; busy at first, as one that restarts."""

    busy = 2
    names = ()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if Lab.busy:
            Lab.busy -= 1
            self._say(503, b"")
        elif parts.path == ARTIFACTS:
            below = parse_qs(parts.query)["path"][0].removeprefix(PLACE).strip("/")
            rests = [path.removeprefix(below).strip("/") for path in FILES if path.startswith(below)]
            listed = [{"path": name, "is_dir": False, "file_size": 0} for name in self.names] + [
                {"path": name, "is_dir": any(one.startswith(f"{name}/") for one in rests), "file_size": 0}
                for name in sorted({one.partition("/")[0] for one in rests})
            ]
            self._say(200, json.dumps({"files": listed}).encode())
        else:
            assert self.headers["Authorization"] == "Bearer secret"
            self._say(200, FILES[unquote(parts.path).removeprefix(f"{ARTIFACTS}/{PLACE}/")])

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: object) -> None:
        return


@pytest.fixture
def lab() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lab)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def inside(lab: str, tmp_path: Path, *words: str) -> "subprocess.Popen[str]":
    variables = {
        "MLFLOW_TRACKING_URI": lab,
        "MLFLOW_TRACKING_TOKEN": "secret",
        "TMPDIR": str(tmp_path),
        "PATH": str(Path(sys.executable).parent),
    }
    argv = [sys.executable, "-I", "-S", serving_inside.__file__, PLACE, *words]
    return subprocess.Popen(argv, env=variables, stdout=subprocess.PIPE, text=True)


def digest() -> str:
    return digest_of({path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()})


def test_every_file_is_fetched_and_a_lab_that_is_away_is_waited_for(lab: str, tmp_path: Path) -> None:
    Lab.busy = 1
    look = (
        "import os, pathlib, sys; at = pathlib.Path(sys.argv[1])\n"
        "print(sorted(str(one.relative_to(at)) for one in at.rglob('*') if one.is_file()), 'MLFLOW_TRACKING_TOKEN' in os.environ)"
    )
    done = inside(lab, tmp_path, digest(), "8000", "command", "python", "-c", look, "{model}")
    said, _ = done.communicate(timeout=60)
    assert "['a/b/ä b.json', 'a/c', 'model.gguf'] False" in said
    assert (done.returncode, "exit code 0" in said, list(tmp_path.iterdir())) == (0, True, [])


def test_files_of_another_version_start_nothing(lab: str, tmp_path: Path) -> None:
    Lab.busy = 0
    done = inside(lab, tmp_path, "0" * 64, "8000", "command", "python", "-c", "print('started')")
    said, _ = done.communicate(timeout=60)
    assert (done.returncode, "not those of the version" in said, "started" in said) == (1, True, False)


@pytest.mark.parametrize("name", ["../out", "/etc/x", "..", "a/b"])
def test_a_name_that_leads_elsewhere_is_refused(lab: str, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(Lab, "names", (name,))
    Lab.busy = 0
    done = inside(lab, tmp_path, digest(), "8000", "command", "true")
    said, _ = done.communicate(timeout=60)
    assert (done.returncode, "has a name that is none" in said) == (1, True)
    assert list(tmp_path.rglob("*")) == []


def test_what_the_server_writes_is_kept_until_it_answers_and_not_after(lab: str, tmp_path: Path) -> None:
    import http.client  # noqa: PLC0415
    import socket  # noqa: PLC0415

    Lab.busy = 0
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = inside(lab, tmp_path, digest(), str(port), "command", "python", "-c", SERVER, "{port}")
    assert running.stdout is not None
    heard = []
    while not heard or "the model answers" not in heard[-1]:
        heard.append(running.stdout.readline())

    def ask(path: str, body: str) -> bool:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        line.request("POST", path, body=body)
        return line.getresponse().status == 200

    assert until(lambda: ask("/", "canary-41"))
    ask("/end", "canary-42")
    said, _ = running.communicate(timeout=60)
    assert (running.returncode, "exit code 7" in said) == (7, True)
    assert "loading\n" in heard
    assert "canary" not in "".join(heard) + said


def test_each_kind_starts_its_own_server(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.gguf").touch()
    file = str(tmp_path / "b" / "x.gguf")
    assert command_of("openai", [], tmp_path, "1")[2:] == [file, "1"]
    assert command_of("scoring", [], tmp_path, "1")[2:] == [str(tmp_path), "1"]
    words = ["x", "{model}", "{file}", "{port}", "{other}"]
    assert command_of("command", words, tmp_path, "1") == ["x", str(tmp_path), file, "1", "{other}"]
