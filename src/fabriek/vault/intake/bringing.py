"""Code that the server itself has at hand, brought into a project for its jobs: sealed in memory, and the same once more is the same version."""

import hashlib
from collections.abc import Mapping

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import NotFound
from fabriek.vault.desk import Desk, Parts
from fabriek.vault.intake.arriving import Arriving
from fabriek.vault.pushing import Pushing, code_name


class Bringing(Desk):
    """For whoever may submit jobs in the project; the version is theirs, as if they had pushed it."""

    def __init__(self, parts: Parts, pushing: Pushing, arriving: Arriving) -> None:
        super().__init__(parts)
        self._pushing, self._arriving = pushing, arriving

    def bring(self, project_ref: str, name: str, files: Mapping[str, bytes], *, by: Caller) -> str:
        """The id of the version that holds these files and no others; made where it is not there yet. Not inside a transaction.

        Raises NotPermitted, NotFound, Unavailable.
        """
        if there := self.brought(project_ref, name, files, by=by):
            return there
        # A dataset of its own for each content: a version that joined files to what was pushed before would hold that too.
        upload = self._pushing.open_code_upload(project_ref, apart=_apart(name, files), by=by)
        for path, content in sorted(files.items()):
            arrival = self._arriving.begin(upload.id, path, len(content), by=by)
            if content:
                self._arriving.take(arrival.id, 0, [content], by=by)
        return self._arriving.finish(upload.id, by=by).id

    def brought(self, project_ref: str, name: str, files: Mapping[str, bytes], *, by: Caller) -> str:
        """The id of that version; empty where it was not brought."""
        project = self._project(project_ref)
        require(by, "job.submit", project=project.id)
        try:
            dataset = self._parts.datasets.named(project.id, code_name(by, _apart(name, files)))
        except NotFound:
            return ""
        newest = self._pushing.newest(dataset.id)
        return newest.id if newest else ""


def _apart(name: str, files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(f"{len(path)}:{path}{len(content)}:".encode() + content)
    return f"{name}-{digest.hexdigest()[:16]}"
