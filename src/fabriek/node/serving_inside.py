"""Inside the walls: fetches the model that the job serves, starts what answers, and keeps what that writes only until it answers.

Runs as `python -I -S serving_inside.py PLACE SHA256 PORT KIND [COMMAND…]` with the standard library alone. PLACE is where the lab has the files,
SHA256 is over them, PORT is where the command must listen on 127.0.0.1. KIND is `openai` or `scoring`, which start a server of ours, or
`command`. In a command, `{model}` is the folder of the files, `{file}` the first GGUF file of it, `{port}` the port.

Servers of models print what people ask them: nothing that one writes is kept from its first answer on.
"""

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote, urlsplit

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
PATIENCE_SECONDS = 600.0
RETRY_SECONDS = 1.0
LOOK_SECONDS = 0.1
PIECE_BYTES = 1 << 20
PATH_CHARACTERS_MAX = 1024
BUSY = frozenset({429, 500, 502, 503, 504})
HERE = Path(__file__).parent


class Refused(Exception):
    """The lab does not give it."""


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Lab:
    """The lab as this job reaches it, with the job's own token. A server that restarts is waited for."""

    def __init__(self, address: str, token: str) -> None:
        parts = urlsplit(address)
        self._host, self._port, self._prefix, self._token = parts.hostname or "", parts.port or 80, parts.path, token

    def listed(self, place: str) -> "list[tuple[str, bool]]":
        """(name, whether it is a folder) of what lies directly there."""
        found = json.loads(self._patiently(f"{ARTIFACTS}?path={quote(place, safe='')}", None))
        return [(str(one["path"]), bool(one["is_dir"])) for one in found["files"]]

    def fetch(self, place: str, into: Path) -> str:
        """SHA-256 of the file, in hexadecimal digits."""
        return self._patiently(f"{ARTIFACTS}/{quote(place)}", into)

    def _patiently(self, path: str, into: "Path | None") -> str:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._ask(path, into)
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() > give_up:
                    raise Refused(f"the lab does not answer: {error}") from None
            time.sleep(RETRY_SECONDS)

    def _ask(self, path: str, into: "Path | None") -> str:
        line = http.client.HTTPConnection(self._host, self._port, timeout=60)
        try:
            line.request("GET", self._prefix + path, headers={"Authorization": f"Bearer {self._token}"})
            answer = line.getresponse()
            if answer.status in BUSY:
                raise http.client.HTTPException(f"it says {answer.status}")
            if answer.status != 200:
                raise Refused(f"the lab refuses the model's files ({answer.status})")
            return answer.read().decode() if into is None else written(answer, into)
        finally:
            line.close()


def written(answer: http.client.HTTPResponse, into: Path) -> str:
    digest, count = hashlib.sha256(), 0
    with into.open("wb") as file:
        while piece := answer.read(PIECE_BYTES):
            digest.update(piece)
            count += len(piece)
            file.write(piece)
    if count != int(answer.headers["Content-Length"]):
        raise http.client.HTTPException("it was cut short")
    return digest.hexdigest()


def fetch(lab: Lab, place: str, folder: Path) -> "dict[str, str]":
    """Path → SHA-256 of everything below the place, each file at its place in the folder."""
    found: dict[str, str] = {}
    waiting = [""]
    while waiting:
        below = waiting.pop()
        for name, is_folder in lab.listed(f"{place}/{below}".rstrip("/")):
            path = f"{below}/{name}".lstrip("/")
            if name in {"", ".", ".."} or "/" in name or len(path) > PATH_CHARACTERS_MAX:
                raise Refused("a file of the model has a name that is none")
            if is_folder:
                (folder / path).mkdir()
                waiting.append(path)
            else:
                found[path] = lab.fetch(f"{place}/{path}", folder / path)
    return found


def fetch_exactly(lab: Lab, place: str, sha256: str, folder: Path) -> None:
    files = fetch(lab, place, folder)
    if digest_of(files) != sha256:
        raise Refused("the files are not those of the version that was to be served")
    say(f"{len(files)} files of the model are here")


def digest_of(files: "dict[str, str]") -> str:
    return hashlib.sha256("\n".join(f"{files[path]}  {path}" for path in sorted(files)).encode()).hexdigest()


def command_of(kind: str, given: "list[str]", folder: Path, port: str) -> "list[str]":
    file = next((str(one) for one in sorted(folder.rglob("*.gguf"))), "")
    if kind == "openai":
        return ["node", str(HERE / "chat_inside.mjs"), file, port]
    if kind == "scoring":
        return ["python", str(HERE / "scoring_inside.py"), str(folder), port]
    words = {"{model}": str(folder), "{file}": file, "{port}": port}
    return [words.get(one, one) for one in given]


def listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


class Output:
    """What the command writes: passed on until it answers, and then read and dropped."""

    def __init__(self, source: "subprocess.Popen[bytes]") -> None:
        assert source.stdout is not None
        self._descriptor = source.stdout.fileno()
        self._lock = threading.Lock()
        self._kept = True
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def drop(self) -> None:
        with self._lock:
            self._kept = False

    def end(self) -> None:
        self._thread.join(timeout=5)

    def _carry(self) -> None:
        while piece := os.read(self._descriptor, PIECE_BYTES):
            with self._lock:
                if self._kept:
                    os.write(1, piece)


def run(command: "list[str]", port: int) -> int:
    try:
        # One pipe for both: a server's errors quote what it was asked as well.
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        say(f"{command[0]} cannot be started: {error.strerror}")
        return 127
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    output = Output(child)
    while child.poll() is None and not listens(port):
        time.sleep(LOOK_SECONDS)
    if child.poll() is None:
        output.drop()
        say("the model answers; what its server writes from here on is not kept")
    code = child.wait()
    output.end()
    say(f"the model's server has ended with exit code {code}")
    return code if code >= 0 else 128 - code


def main(place: str, sha256: str, port: str, kind: str, given: "list[str]") -> int:
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    lab = Lab(os.environ["MLFLOW_TRACKING_URI"], os.environ.pop("MLFLOW_TRACKING_TOKEN"))
    try:
        fetch_exactly(lab, place, sha256, folder)
        return run(command_of(kind, given, folder, port), int(port))
    except Refused as error:
        say(str(error))
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    place, sha256, port, kind, *given = sys.argv[1:]
    sys.exit(main(place, sha256, port, kind, given))
