"""Inside the walls: answers as MLflow's scoring server does, with the model of a folder. Runs as `python scoring_inside.py FOLDER PORT`.

The packages are the job's own: MLflow where the model is one of its, skops where it is a skops file alone. It writes no line about a request:
who asks is counted outside, and what is asked is nobody's to keep.
"""

import io
import json
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BODY_BYTES_MAX = 8 * 2**20
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")

Predict = Callable[[Any], Any]


def load(folder: Path) -> "tuple[Predict, Any, str]":
    """What predicts, the schema of its inputs where it says one, and the version that `/version` says."""
    if (folder / "MLmodel").exists():
        import mlflow  # noqa: PLC0415  # the job's own package, if its model is MLflow's
        from mlflow import pyfunc  # noqa: PLC0415

        model = pyfunc.load_model(str(folder))
        return model.predict, model.metadata.get_input_schema(), mlflow.__version__
    import skops.io  # noqa: PLC0415

    file = next(iter(sorted(folder.rglob("*.skops"))))
    # Within these walls a type of the model's own may be loaded: it reaches what the job reaches, and the server never loads it.
    loaded = skops.io.load(file, trusted=skops.io.get_untrusted_types(file=file))
    return loaded.predict, None, "skops"


def asked_of(body: bytes, kind: str, schema: Any) -> Any:
    """The data of a request, as MLflow's own server would read it. Raises ValueError."""
    import pandas as pd  # noqa: PLC0415

    if kind == "text/csv":
        return pd.read_csv(io.BytesIO(body))
    given = json.loads(body)
    forms = [one for one in FORMS if isinstance(given, dict) and one in given]
    if len(forms) != 1:
        raise ValueError(f"the body must be a JSON object with one of {', '.join(FORMS)}")
    form = forms[0]
    if schema is not None:
        from mlflow.utils import proto_json_utils  # noqa: PLC0415

        read: Any = proto_json_utils
        if form.startswith("dataframe_"):
            oriented = form.removeprefix("dataframe_")
            return read.dataframe_from_parsed_json(given[form], pandas_orient=oriented, schema=schema)
        return read.parse_tf_serving_input({form: given[form]}, schema=schema)
    if form == "dataframe_split":
        return pd.DataFrame(**{key: given[form][key] for key in ("columns", "index", "data") if key in given[form]})
    if form == "dataframe_records" or (form == "instances" and given[form] and isinstance(given[form][0], dict)):
        return pd.DataFrame.from_records(given[form])
    import numpy as np  # noqa: PLC0415

    return np.asarray(given[form])


def plain(thing: Any) -> Any:
    """Predictions as JSON has them."""
    if hasattr(thing, "to_dict") and hasattr(thing, "columns"):
        return thing.to_dict(orient="records")
    if hasattr(thing, "tolist"):
        return thing.tolist()
    return thing


class Scoring(BaseHTTPRequestHandler):
    """One request. `model` is set before the first."""

    protocol_version = "HTTP/1.1"
    timeout = 120
    model: "tuple[Predict, Any, str]"

    def do_GET(self) -> None:
        answers = {"/ping": "\n", "/health": "\n", "/version": self.model[2]}
        if self.path not in answers:
            self._refuse(404, "RESOURCE_DOES_NOT_EXIST", f"{self.path} is not part of what this server speaks")
        else:
            self._answer(200, "text/plain", answers[self.path].encode())

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._refuse(413, "BAD_REQUEST", f"a request says its length, at most {BODY_BYTES_MAX} bytes")
            return
        body = self.rfile.read(int(length))
        if self.path != "/invocations":
            self._refuse(404, "RESOURCE_DOES_NOT_EXIST", f"{self.path} is not part of what this server speaks")
            return
        predict, schema, _ = self.model
        try:
            found = predict(asked_of(body, self.headers.get("Content-Type", "").partition(";")[0].strip(), schema))
            said = json.dumps({"predictions": plain(found)}, default=plain).encode()
        except Exception as error:  # noqa: BLE001  # what a model makes of its input is told to who sent it, and to nobody else
            self._refuse(400, "BAD_REQUEST", f"{type(error).__name__}: {error}"[:2_000])
        else:
            self._answer(200, "application/json", said)

    def log_message(self, *_said: object) -> None:
        """Nothing is written."""

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._answer(status, "application/json", json.dumps({"error_code": code, "message": message}).encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(folder: str, port: str) -> None:
    Scoring.model = load(Path(folder))
    ThreadingHTTPServer(("127.0.0.1", int(port)), Scoring).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:3])
