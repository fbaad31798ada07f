"""Classes, for the client."""

from collections.abc import Sequence
from datetime import date

from fabriek.schemas.base import PageOut
from fabriek.schemas.classes import ClassOut
from fabriek.sdk.client import Client


class Classes:
    """A teacher's classes: a project and a budget for each student, until the term ends."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(
        self, title: str, students: str, *, gpu_hours_each: int, ends_on: date, project: str = "", cpu_hours_each: int | None = None
    ) -> ClassOut:  # fmt: skip
        """students: the text of a CSV with email and name. Raises InvalidInput naming the lines that are wrong; then nobody was added."""
        body = {
            "title": title, "project": self._client.the_project(project), "students": students, "gpu_hours_each": gpu_hours_each,
            "cpu_hours_each": cpu_hours_each, "ends_on": ends_on.isoformat(),
        }  # fmt: skip
        return ClassOut.model_validate(self._client.post("/api/v1/classes", json=body))

    def list(self) -> Sequence[ClassOut]:
        return PageOut[ClassOut].model_validate(self._client.get("/api/v1/classes")).items

    def show(self, name: str) -> ClassOut:
        return ClassOut.model_validate(self._client.get(f"/api/v1/classes/{name}"))

    def add(self, name: str, students: str) -> ClassOut:
        body = {"students": students}
        return ClassOut.model_validate(self._client.post(f"/api/v1/classes/{name}/students", json=body))

    def drop(self, name: str, person: str) -> None:
        self._client.delete(f"/api/v1/classes/{name}/students/{person}")

    def extend(self, name: str, ends_on: date) -> ClassOut:
        body = {"ends_on": ends_on.isoformat()}
        return ClassOut.model_validate(self._client.post(f"/api/v1/classes/{name}/extend", json=body))

    def end(self, name: str) -> ClassOut:
        return ClassOut.model_validate(self._client.post(f"/api/v1/classes/{name}/end"))
