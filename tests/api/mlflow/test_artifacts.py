"""Artifacts through the server, by MLflow's released client: files of any kind and size, and no way to any other."""

import json
import secrets
from pathlib import Path

import httpx
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from fabriek.web.envelope import JSON_BYTES_MAX
from tests.api.mlflow.conftest import Door, JobDoor

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


def test_a_folder_goes_up_and_comes_back_to_the_byte(mlflow: MlflowClient, run: str, tmp_path: Path) -> None:
    """With names that a path of an address has to quote, and a JSON file larger than any request may be."""
    names = ["plain.txt", "with space.txt", "été.csv", "a+b=c&d.bin", "100%.txt",
        "2026-11-27T10:00.log", "deep/er/x.bin", "large.json", "empty"]  # fmt: skip
    for name in names:
        file = tmp_path / "up" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(secrets.token_bytes(300_000) if name.endswith(".bin") else name.encode())
    (tmp_path / "up" / "large.json").write_text(json.dumps("x" * (JSON_BYTES_MAX + 1_000)))
    (tmp_path / "up" / "empty").write_bytes(b"")
    mlflow.log_artifacts(run, str(tmp_path / "up"), "out")
    (tmp_path / "down").mkdir()
    taken = Path(mlflow.download_artifacts(run, "out", str(tmp_path / "down")))
    assert sorted(str(one.relative_to(taken)) for one in taken.rglob("*") if one.is_file()) == sorted(names)
    assert all((taken / name).read_bytes() == (tmp_path / "up" / name).read_bytes() for name in names)


def test_what_is_there_is_listed_level_by_level(mlflow: MlflowClient, web: httpx.Client, run: str) -> None:
    mlflow.log_text(run, "one", "a.txt")
    mlflow.log_text(run, "twice", "dir/b.txt")
    assert [(one.path, one.is_dir, one.file_size) for one in mlflow.list_artifacts(run)] == [("a.txt", False, 3), ("dir", True, None)]  # fmt: skip
    assert [(one.path, one.file_size) for one in mlflow.list_artifacts(run, "dir")] == [("dir/b.txt", 5)]
    assert mlflow.list_artifacts(run, "a.txt") == mlflow.list_artifacts(run, "absent") == []
    answer = web.get("/artifacts/list", params={"run_id": run, "path": "dir"}).json()
    assert answer["files"] == [{"path": "dir/b.txt", "is_dir": False, "file_size": 5}]
    assert answer["root_uri"].endswith(f"/{run}/artifacts")


def test_a_file_is_replaced_and_removed(mlflow: MlflowClient, door: Door, run: str) -> None:
    for text in ("first", "second"):
        mlflow.log_text(run, text, "dir/a.txt")
    mlflow.log_text(run, "other", "dirt.txt")
    place = f"{ARTIFACTS}/0/{run}/artifacts"
    assert httpx.get(f"{door.url}{place}/dir/a.txt", headers=bearer(door), trust_env=False).text == "second"
    assert door.raw("DELETE", f"{place}/dir")["status"] == 200
    assert [one.path for one in mlflow.list_artifacts(run)] == ["dirt.txt"]
    assert door.raw("GET", f"{place}/dir/a.txt")["status"] == 404


def bearer(door: Door) -> dict[str, str]:
    return {"Authorization": f"Bearer {door.token}"}


def test_a_client_that_uploads_in_parts_falls_back_to_one(
    mlflow: MlflowClient, run: str, tmp_path: Path, environment: pytest.MonkeyPatch
) -> None:
    """With its settings for parts on, and so low that a small file would be sent in many."""
    environment.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    environment.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true")
    environment.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "1000")
    environment.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", "1000")
    environment.setenv("MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE", "1000")
    (tmp_path / "weights.bin").write_bytes(secrets.token_bytes(100_000))
    mlflow.log_artifact(run, str(tmp_path / "weights.bin"), "model")
    (tmp_path / "down").mkdir()
    taken = Path(mlflow.download_artifacts(run, "model/weights.bin", str(tmp_path / "down")))
    assert taken.read_bytes() == (tmp_path / "weights.bin").read_bytes()


def test_a_deleted_run_keeps_its_files_and_takes_no_more(mlflow: MlflowClient, run: str, tmp_path: Path) -> None:
    mlflow.log_text(run, "kept", "a.txt")
    mlflow.delete_run(run)
    (tmp_path / "down").mkdir()
    assert Path(mlflow.download_artifacts(run, "a.txt", str(tmp_path / "down"))).read_text() == "kept"
    with pytest.raises(Exception, match="must be in the 'active' state"):
        mlflow.log_text(run, "late", "b.txt")
    mlflow.restore_run(run)
    mlflow.log_text(run, "late", "b.txt")
    assert [one.path for one in mlflow.list_artifacts(run)] == ["a.txt", "b.txt"]


ESCAPES = [
    "../x", "..", "a/../../x", "%2e%2e/x", "%2E%2E%2fx", "a/%2E%2E/%2e%2e/x", "..%2fx", "..%5cx", "%252e%252e%252fx",
    "%25252e%25252e/x", "a/..\\x", "a\\b", "/etc/passwd", "//etc/passwd", "a//b", "./x", "a/./b", "a%00b", "a%7fb", "file:/x",
    "file:///etc/passwd", "file%3a/x", "FILE:/x", "C:/x", "c:x", "http:/h", "a%23b", "%20../x", "..%20/x", "x" * 1_100,
    "%2e%2e%2f" * 200, "a/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc/passwd", "%2525252525252525252525252e",
]  # fmt: skip


def test_no_artifact_path_leads_anywhere_else(mlflow: MlflowClient, door: Door, run: str) -> None:
    """In whatever spelling, over the wire as it is written, to take, put, remove or list."""
    for path in ESCAPES:
        for method in ("GET", "PUT", "DELETE"):
            answer = door.raw(method, f"{ARTIFACTS}/0/{run}/artifacts/{path}", b"x" if method == "PUT" else None)
            assert (answer["status"], answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), (method, path)
        for listing in (f"{ARTIFACTS}?path=0/{run}/artifacts/{path}", f"/api/2.0/mlflow/artifacts/list?run_id={run}&path={path}"):  # fmt: skip
            if path.lstrip("/") != path or path == "a%23b":
                continue  # below a folder, a leading slash is none
            assert door.raw("GET", listing)["status"] == 400, listing
    assert door.raw("PUT", f"{ARTIFACTS}/0/{run}/artifacts/a%0ab", b"x")["status"] == 404  # no route has a line break
    assert mlflow.list_artifacts(run) == []


def test_an_artifact_lies_below_a_run_or_a_model_of_this_project_or_nowhere(mlflow: MlflowClient, door: Door, run: str) -> None:  # fmt: skip
    other, services = door.beside(), door.town.services
    theirs = services.lab.create_run(other.project, "0", name="", person="", started_ms=0, tags={}, by=other.person).run.id  # fmt: skip
    services.keeping.put(other.project, f"0/{theirs}/artifacts/x", [b"theirs"], by=other.person)
    made = services.registry.log_model(other.project, "0", theirs, name="m", model_type="", tags={}, params={}, by=other.person)  # fmt: skip
    own = mlflow.create_logged_model("0", source_run_id=run).model_id
    roots = [
        "", "1", "0", "0/models", "x", f"0/{run}/../{run}", "0/" + "a" * 31, "0/" + "g" * 32, f"0/{run.upper()}",
        f"-1/{run}", f"0x0/{run}", f"{'9' * 40}/{run}",
        f"0/{theirs}", f"0/models/{made.id}", f"0/{'0' * 32}", f"0/models/m-{'0' * 32}", f"0/models/{own}x",
        f"7/models/{own}", f"workspaces/x/0/{run}",
    ]  # fmt: skip
    for root in roots:
        for method in ("GET", "PUT", "DELETE"):
            answer = door.raw(method, f"{ARTIFACTS}/{root}/artifacts/x", b"x" if method == "PUT" else None)
            assert answer["status"] in {400, 404}, (method, root)
        if root:
            assert door.raw("GET", f"{ARTIFACTS}?path={root}/artifacts")["status"] in {400, 404}, root
    _, pieces = services.keeping.open(other.project, f"0/{theirs}/artifacts/x", by=other.person)
    assert b"".join(pieces) == b"theirs"


def test_another_runs_file_reads_like_none_to_a_job(
    mlflow: MlflowClient, door: Door, job_door: JobDoor, run: str, environment: pytest.MonkeyPatch
) -> None:
    mlflow.log_text(run, "a colleague's", "a.txt")
    said = []
    for one in (run, "0" * 32):
        answer = httpx.get(
            f"{job_door.url}{ARTIFACTS}/0/{one}/artifacts/a.txt",
            headers={"Authorization": f"Bearer {job_door.token}"},
            trust_env=False,
        )
        said.append((answer.status_code, answer.text.replace(one, "RUN")))
    assert said[0] == said[1]
    assert said[0][0] == 404
    environment.setenv("MLFLOW_TRACKING_TOKEN", job_door.token)
    job = MlflowClient(job_door.url)
    with pytest.raises(MlflowException):
        job.list_artifacts(run)
    job.log_text(job_door.run, "its own", "a.txt")
    assert [one.path for one in job.list_artifacts(job_door.run)] == ["a.txt"]


def test_nobody_takes_or_puts_a_file_without_a_token(door: Door, mlflow: MlflowClient, run: str) -> None:
    mlflow.log_text(run, "kept", "a.txt")
    for method in ("GET", "PUT", "DELETE"):
        for path in (f"{ARTIFACTS}/0/{run}/artifacts/a.txt", f"{ARTIFACTS}?path=0/{run}/artifacts"):
            if "?" in path and method != "GET":
                continue
            answer = httpx.request(method, door.url + path, trust_env=False)
            assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED"), (method, path)
    assert [one.path for one in mlflow.list_artifacts(run)] == ["a.txt"]


def test_a_packed_file_is_kept_as_it_came(mlflow: MlflowClient, door: Door, run: str) -> None:
    """Nothing is unpacked on the way in, so that a small one that unpacks to a large one stays small."""
    bomb = b"\x1f\x8b\x08" + secrets.token_bytes(100)
    url = f"{door.url}{ARTIFACTS}/0/{run}/artifacts/x.gz"
    put = httpx.put(url, content=bomb, headers=bearer(door) | {"Content-Encoding": "gzip"}, trust_env=False)
    assert put.status_code == 200
    assert httpx.get(url, headers=bearer(door), trust_env=False).content == bomb
