"""From what somebody calls a model to the version in the vault that holds its files: what its job left in /output."""

import re

from fabriek.compute.service import Compute
from fabriek.kernel.callers import Caller
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.lab.registry.service import Registry
from fabriek.lab.service import Lab

_VERSION = re.compile(r"ver_[0-9a-z]{1,40}")
_REGISTERED = re.compile(r"([^/:@\x00-\x1f]+)(?:[@/]([\w\-]{1,255}))?")
FIX = "--set model=NAME@3 for a registered model, job:17 for what a job left, or ver_… for a version in the vault"


class Models:
    """Looks with the rights of whoever asks."""

    def __init__(self, compute: Compute, registry: Registry, lab: Lab) -> None:
        self._compute, self._registry, self._lab = compute, registry, lab

    def version(self, project: str, said: str, *, by: Caller) -> str:
        """project: its id. said: `NAME@3`, `NAME@alias`, `NAME` for the newest, `job:17`, or `ver_…`. Raises InvalidInput, NotFound."""
        if _VERSION.fullmatch(said):
            return said
        if said.startswith("job:"):
            return self._left_by(project, said.removeprefix("job:"), said, by)
        named = _REGISTERED.fullmatch(said.removeprefix("models:/"))
        if named is None:
            raise InvalidInput(f"{said[:80]!r} does not name a model", fix=FIX)
        name, which = named[1], named[2] or "latest"
        asks = self._registry.version if which.isdecimal() else self._registry.aliased
        found = asks(project, name, which, by=by)
        job = self._lab.run(project, found.run, by=by).run.job if found.run else ""
        if not job:
            raise NotFound(
                f"no job made {name}@{found.number}, so nobody knows which files in the vault are its own", fix=FIX
            )
        return self._left_by(project, job, said, by)

    def _left_by(self, project: str, job: str, said: str, by: Caller) -> str:
        left = self._compute.get(project, job, by=by).output
        if not left:
            raise NotFound(f"the job behind {said[:80]} left nothing in /output", fix=f"fabriek job show {job}")
        return left
