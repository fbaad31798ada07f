"""Recipes, for the client."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from fabriek.kernel.clock import Clock, SystemClock
from fabriek.kernel.errors import AlreadyExists, Damaged
from fabriek.schemas.base import PageOut
from fabriek.schemas.compute import JobOut
from fabriek.schemas.recipes import RecipeCardOut, RecipeOut, RecipeOutcomeOut, RecipePlanOut
from fabriek.sdk.client import Client


class Recipes:
    """Jobs that are ready to run.

    >>> job = factory.recipes.run("tabular", method="forest")
    >>> factory.recipes.wait("tabular", job.id).reached
    """

    def __init__(self, client: Client, clock: Clock | None = None) -> None:
        self._client, self._clock = client, clock or SystemClock()

    def list(self, *, lang: str = "en") -> Sequence[RecipeOut]:
        return PageOut[RecipeOut].model_validate(self._client.get("/api/v1/recipes", params={"lang": lang})).items

    def show(self, name: str, *, lang: str = "en") -> RecipeCardOut:
        return RecipeCardOut.model_validate(self._client.get(f"/api/v1/recipes/{name}", params={"lang": lang}))

    def plan(
        self, recipe: str, parameters: Mapping[str, object] | None = None, *, project: str = "", **more: object
    ) -> RecipePlanOut:
        """What would become of it now, and what it would cost. Raises what would stop it."""
        return RecipePlanOut.model_validate(
            self._client.post(f"{self._path(recipe, project)}/plans", json=_said(parameters, more))
        )

    def run(
        self, recipe: str, parameters: Mapping[str, object] | None = None, *, project: str = "", **more: object
    ) -> JobOut:
        """Submits it; of a sweep the first element. A list stands for several values. Raises InvalidInput, NotPermitted, CreditsExhausted."""
        path = self._path(recipe, project)
        self._client.post(f"{path}/code")
        return JobOut.model_validate(self._client.post(f"{path}/jobs", json=_said(parameters, more)))

    def outcome(self, recipe: str, job: str, *, project: str = "") -> RecipeOutcomeOut:
        """How a run of it goes: by any of its jobs, or by the id of its array."""
        return RecipeOutcomeOut.model_validate(self._client.get(f"{self._path(recipe, project)}/outcomes/{job}"))

    def wait(self, recipe: str, job: str, *, project: str = "", served: bool = False) -> RecipeOutcomeOut:
        """Its outcome once all its jobs have ended; served: once anything was logged, for what goes on until it is stopped."""
        pause = 0.1
        while True:
            found = self.outcome(recipe, job, project=project)
            if found.ended or (served and found.value is not None):
                return found
            self._clock.sleep(pause)
            pause = min(pause * 1.5, 2.0)

    def copy(self, recipe: str, into: str | Path) -> Path:
        """Writes its files into a new folder, to go on from. Raises AlreadyExists where something stands there."""
        folder, found = Path(into), self.show(recipe)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise AlreadyExists(f"{folder} is there already, and not empty", fix="name a folder that is not there yet")
        for path, text in found.files.items():
            place = PurePosixPath(path)
            if place.is_absolute() or ".." in place.parts:
                raise Damaged(f"the recipe names a file outside of its folder: {path!r}", fix="tell the operator")
            file = folder.joinpath(*place.parts)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        (folder / "requirements.txt").write_text("\n".join(found.packages) + "\n", "utf-8")
        return folder

    def _path(self, recipe: str, project: str) -> str:
        return f"/api/v1/projects/{self._client.the_project(project)}/recipes/{recipe}"


def _said(parameters: Mapping[str, object] | None, more: Mapping[str, object]) -> dict[str, dict[str, str]]:
    return {"parameters": {name: _text(value) for name, value in {**(parameters or {}), **more}.items()}}


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
