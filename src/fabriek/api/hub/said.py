"""What is answered in the Hub's dialect: shapes of models and files, and errors in the headers that its clients read."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import FabriekError, NotAuthenticated, NotFound, NotPermitted
from fabriek.lab.base_models.cards import tags_of, word_of
from fabriek.lab.base_models.models import BaseModel, ModelFile, NoSuchFile, NoSuchRevision, Revision
from fabriek.lab.base_models.service import no_such_model
from fabriek.schemas.codes import Code
from fabriek.web.problems import as_fabriek_error

log = logging.getLogger("fabriek.lab")

BAD_TOKEN = "Invalid credentials in Authorization header"  # noqa: S105  # the words by which clients know what is wrong
COMMIT = "X-Repo-Commit"


def refusal(raw: Exception, *, has_token: bool, request_id: str) -> Response:
    """An error as the clients read it. Whatever of the project's may not be known reads as a model that is not there."""
    error = as_fabriek_error(raw)
    if error.code is Code.INTERNAL:
        log.error("fault", exc_info=raw, extra={"request_id": request_id})
    headers: dict[str, str] = {}
    if isinstance(error, NoSuchFile):
        headers |= {"X-Error-Code": "EntryNotFound", COMMIT: error.commit}
    elif isinstance(error, NoSuchRevision):
        headers["X-Error-Code"] = "RevisionNotFound"
    elif isinstance(error, NotFound):
        error = no_such_model()
        headers["X-Error-Code"] = "RepoNotFound"
    elif isinstance(error, NotPermitted):
        headers["X-Error-Code"] = "GatedRepo"
    elif isinstance(error, NotAuthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="fabriek"'
        if has_token:
            return _refused(401, BAD_TOKEN, headers)
        headers["X-Error-Code"] = "RepoNotFound"  # of which the client says that a token may be missing
    if retry := error.fields.get("retry_after_seconds"):
        headers["Retry-After"] = str(retry)
    status = 400 if error.meaning.http == 422 else error.meaning.http
    return _refused(status, _sentence(error), headers)


def _sentence(error: FabriekError) -> str:
    return f"{error.detail} ({error.fix})" if error.fix else error.detail


def _refused(status: int, says: str, headers: dict[str, str]) -> Response:
    # A header holds one line of plain letters, whatever somebody named their model.
    headers["X-Error-Message"] = "".join(char if " " <= char <= "~" else "?" for char in says)[:1_000]
    return JSONResponse({"error": says}, status_code=status, headers=headers)


def whoami(caller: Caller) -> dict[str, Any]:
    name = caller.job or caller.name or caller.person
    return {
        "type": "user",
        "id": caller.job or caller.person,
        "name": name,
        "fullname": name,
        "isPro": False,
        "orgs": [],
        "auth": {"type": "access_token", "accessToken": {"displayName": "Fabriek", "role": "read"}},
    }


def model_said(
    model: BaseModel, revision: Revision, files: Sequence[ModelFile] | None, *, with_sizes: bool = False
) -> dict[str, Any]:
    """A model at one revision. files: None leaves them out."""
    tags = tags_of(revision.facts, revision.licence)
    said: dict[str, Any] = {
        "_id": hashlib.sha256(f"{model.project}/{model.name}".encode()).hexdigest()[:24],
        "id": model.name,
        "modelId": model.name,
        "author": model.name.rpartition("/")[0] or None,
        "sha": revision.commit,
        "lastModified": instant(model.changed_at),
        "createdAt": instant(model.created_at),
        "private": True,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": tags,
        "pipeline_tag": word_of(revision.facts, "pipeline_tag"),
        "library_name": word_of(revision.facts, "library_name"),
        "cardData": {**revision.facts, "license": revision.facts.get("license") or revision.licence},
        "usedStorage": revision.size,
    }
    if files is not None:
        said["siblings"] = [
            {"rfilename": one.path} | ({"size": one.size, "blobId": _blob_id(one), "lfs": _lfs(one, "sha256")} if with_sizes else {})
            for one in files
        ]  # fmt: skip
    return said


def tree_said(
    files: Sequence[ModelFile], revision: Revision, folder: str, *, recursive: bool, expand: bool
) -> list[dict[str, Any]]:
    """What lies in a folder, or below it, by path. Raises NoSuchFile where there is no such folder."""
    prefix = f"{folder}/" if folder else ""
    below = [one for one in files if one.path.startswith(prefix)]
    if not below:
        raise NoSuchFile("this revision has no such folder", commit=revision.commit)
    found: dict[str, dict[str, Any]] = {}
    for one in below:
        parts = one.path[len(prefix) :].split("/")
        for depth in range(1, len(parts) if recursive else min(len(parts), 2)):
            path = prefix + "/".join(parts[:depth])
            found.setdefault(path, folder_said(path, files))
        if recursive or len(parts) == 1:
            found[one.path] = file_said(one)
    if expand:
        last = {"id": revision.commit, "title": "Pushed", "date": instant(revision.created_at)}
        for entry in found.values():
            entry["lastCommit"] = last
    return [found[path] for path in sorted(found)]


def paths_said(files: Sequence[ModelFile], paths: Sequence[str]) -> list[dict[str, Any]]:
    """The files and folders among these paths; what is not there is left out."""
    by_path = {one.path: one for one in files}
    made = []
    for path in dict.fromkeys(one.strip("/") for one in paths):
        if path in by_path:
            made.append(file_said(by_path[path]))
        elif path and any(one.startswith(f"{path}/") for one in by_path):
            made.append(folder_said(path, files))
    return made


def file_said(file: ModelFile) -> dict[str, Any]:
    return {
        "type": "file",
        "path": file.path,
        "size": file.size,
        "oid": _blob_id(file),
        "lfs": _lfs(file, "oid"),
    }


def folder_said(path: str, files: Sequence[ModelFile]) -> dict[str, Any]:
    below = [f"{one.sha256} {one.path}" for one in files if one.path.startswith(f"{path}/")]
    return {
        "type": "directory",
        "path": path,
        "size": 0,
        "oid": hashlib.sha256("\n".join(below).encode()).hexdigest()[:40],
    }


def refs_said(model: BaseModel) -> dict[str, Any]:
    branches = [
        {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commit}
        for name, commit in sorted(model.branches.items())
    ]
    return {"branches": branches, "converts": [], "tags": [], "pullRequests": []}


def instant(at: datetime) -> str:
    """As the Hub writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def _pointer(file: ModelFile) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{file.sha256}\nsize {file.size}\n".encode()


def _blob_id(file: ModelFile) -> str:
    """What Git would call the file, were it kept by Git LFS: its pointer's own name."""
    pointer = _pointer(file)
    return hashlib.sha1(b"blob %d\0" % len(pointer) + pointer, usedforsecurity=False).hexdigest()


def _lfs(file: ModelFile, key: str) -> Mapping[str, Any]:
    return {key: file.sha256, "size": file.size, "pointerSize": len(_pointer(file))}
