"""Verbs on model versions: add one from what a run made, find it, change what is said of it. Its label is its run's and never lower."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fabriek.kernel.callers import Caller, require
from fabriek.kernel.errors import InvalidInput, NotFound
from fabriek.lab.artifacts import Artifact, checked, split
from fabriek.lab.registry.logged_models import LoggedModels
from fabriek.lab.registry.models import (
    PROMPT_SOURCES,
    ModelVersion,
    RegisteredModel,
    check_description,
    check_length,
    check_model_name,
    check_number,
    check_tag_key,
    check_tags,
    says_prompt,
)
from fabriek.lab.registry.parts import Page, Parts, asks_for_prompts, paged, without_prompt_tag
from fabriek.lab.registry.ports import AliasGuard
from fabriek.lab.registry.search import (
    VERSION_ORDERS,
    VERSIONS,
    Found,
    Scalar,
    completed,
    matches,
    milliseconds,
    only,
    ordered,
)
from fabriek.lab.registry.search import by as ordered_by
from fabriek.lab.registry.sources import Source, misnamed, read_source

RUN_LINK_CHARACTERS_MAX = 2_000
DEFAULT_ORDER = ("last_updated_timestamp DESC",)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a version is of: where its files are, and whose they are."""

    source: str
    place: str
    run: str
    model_id: str
    label: str


class Versions:
    """Model versions."""

    def __init__(self, parts: Parts, logged: LoggedModels, guard: AliasGuard) -> None:
        self._parts, self._logged, self._guard = parts, logged, guard
        self._models, self._rows = parts.models, parts.versions

    def add(
        self, project: str, name: object, *, source: str, run_id: str, model_id: str, description: str, tags: Mapping[str, str],
        run_link: str = "", by: Caller,
    ) -> ModelVersion:  # fmt: skip
        """A version of what a run made. The source is matched to it and never opened as a place. Raises InvalidInput, NotFound."""
        require(by, "lab.write", project=project)
        chosen, parts = check_model_name(name), self._parts
        kept = check_tags(tags)
        check_length("run_link", run_link, RUN_LINK_CHARACTERS_MAX)
        is_prompt = says_prompt(kept)
        origin = self._prompt(source, by) if is_prompt else self._origin(project, source, run_id, model_id, by)
        digest = self._digest(project, origin.place) if origin.place else _sha256(kept.get("mlflow.prompt.text", ""))
        with parts.alone_on(project, chosen):
            home = self._home(project, chosen)
            if says_prompt(home.tags) != is_prompt:
                raise InvalidInput(
                    f"Name `{chosen}` is registered as a {'model' if is_prompt else 'prompt'}, not a "
                    f"{'prompt' if is_prompt else 'model'}."
                )
            now = parts.clock.now()
            made = ModelVersion(
                project, chosen, self._rows.newest_number(project, chosen) + 1, origin.run, origin.model_id, origin.source, origin.label,
                digest, now, now, check_description(description), kept, place=origin.place, person=by.person, run_link=run_link,
            )  # fmt: skip
            self._rows.put(made)
            self._models.put_registered(replace(home, changed_at=now))
            parts.audit.record(
                "model.version_added", made.model_id or made.run or project, by, project=project, number=made.number, label=made.label,
                sha256=digest,
            )  # fmt: skip
        return made

    def get(self, project: str, name: object, number: object, *, by: Caller) -> ModelVersion:
        """Raises NotFound, also for one that is not the caller's to know."""
        require(by, "lab.view", project=project)
        chosen = check_model_name(name)
        found = self._rows.get(project, chosen, check_number(number))
        if not self._sees(found, by):
            raise NotFound(f"Model Version (name={chosen}, version={found.number}) not found")
        return found

    def of(self, project: str, name: str = "", *, by: Caller) -> Sequence[ModelVersion]:
        """Newest first; every model's where no name is given."""
        require(by, "lab.view", project=project)
        return self._visible(self._rows.of_model(project, name), by)

    def newest(self, project: str, names: Sequence[str], *, by: Caller) -> Mapping[str, ModelVersion]:
        """Of each model the newest version that the caller may know."""
        require(by, "lab.view", project=project)
        if not by.job:
            return self._rows.newest(project, names)
        found: dict[str, ModelVersion] = {}
        for one in self._visible(self._rows.narrowed(project, names=names), by):
            found.setdefault(one.name, one)
        return found

    def search(
        self, project: str, *, filter_text: str = "", order_by: Sequence[str] = (), limit: int = 100, offset: int = 0, by: Caller
    ) -> Page[ModelVersion]:  # fmt: skip
        """Raises InvalidInput on a filter or an order that is none."""
        require(by, "lab.view", project=project)
        conditions = VERSIONS.conditions(filter_text)
        tail = (ordered_by("name"), ordered_by("version_number", descending=True))
        orders = completed(VERSION_ORDERS.orders(order_by or DEFAULT_ORDER), *tail)
        prompts = asks_for_prompts(conditions)
        asked = conditions if prompts else without_prompt_tag(conditions)
        rows = self._rows.narrowed(project, names=only(conditions, "name"), runs=only(conditions, "run_id"))
        found = [
            one
            for one in self._visible(rows, by)
            if says_prompt(one.tags) is prompts and matches(Found(_attributes(one), one.tags), asked)
        ]
        return paged(ordered(found, orders, lambda one, order: _attributes(one)[order.key]), limit, offset)

    def change(
        self, project: str, name: object, number: object, *, description: str | None = None, tags: Mapping[str, str] | None = None,
        by: Caller,
    ) -> ModelVersion:  # fmt: skip
        require(by, "lab.write", project=project)
        with self._parts.alone_on(project, name):
            found = self.get(project, name, number, by=by)
            changed = replace(
                found, description=found.description if description is None else check_description(description),
                tags=check_tags({**found.tags, **(tags or {})}), changed_at=self._parts.clock.now(),
            )  # fmt: skip
            self._rows.put(changed)
        return changed

    def drop_tag(self, project: str, name: object, number: object, key: object, *, by: Caller) -> None:
        """One that is not there is no error, as in MLflow."""
        require(by, "lab.write", project=project)
        gone = check_tag_key(key)
        with self._parts.alone_on(project, name):
            found = self.get(project, name, number, by=by)
            left = {one: value for one, value in found.tags.items() if one != gone}
            self._rows.put(replace(found, tags=left, changed_at=self._parts.clock.now()))

    def delete(self, project: str, name: object, number: object, *, by: Caller) -> None:
        """With the aliases that point at it. Its number is not given again, and what it was stays in the log and in statements."""
        require(by, "lab.write", project=project)
        with self._parts.alone_on(project, name):
            found = self.get(project, name, number, by=by)
            now = self._parts.clock.now()
            home = self._home(project, found.name)
            left = {alias: at for alias, at in home.aliases.items() if at != found.number}
            for alias in home.aliases.keys() - left.keys():
                self._guard(project, found.name, alias, None)
            self._models.put_registered(replace(home, aliases=left, changed_at=now))
            self.withdraw(found, by)

    def withdraw(self, version: ModelVersion, by: Caller) -> None:
        """Marks it as deleted, in the open transaction."""
        self._rows.put(replace(version, is_deleted=True, changed_at=self._parts.clock.now()))
        self._parts.audit.record(
            "model.version_deleted", version.model_id or version.run or version.project, by, project=version.project,
            number=version.number, label=version.label, sha256=version.sha256,
        )  # fmt: skip

    def files(self, project: str, name: object, number: object, *, by: Caller) -> Sequence[Artifact]:
        """What the version consists of now, by path; paths are below the version's own place."""
        found = self.get(project, name, number, by=by)
        return self._files(project, found.place)

    def is_as_registered(self, version: ModelVersion) -> bool:
        """Whether its files are still what they were when it was registered, to the byte."""
        return not version.place or self._digest(version.project, version.place) == version.sha256

    def _visible(self, found: Sequence[ModelVersion], by: Caller) -> Sequence[ModelVersion]:
        own = self._parts.own_runs(by)
        return [one for one in found if own is None or one.run in own or not (one.run or one.place)]

    def _sees(self, version: ModelVersion, by: Caller) -> bool:
        """A prompt has no run: it is a text that people wrote for their project's jobs."""
        return not (version.run or version.place) or self._parts.sees(version.project, version.run, by)

    def _home(self, project: str, name: str) -> RegisteredModel:
        found = self._models.registered(project, name)
        if found is None:
            raise NotFound(f"Registered Model with name={name} not found")
        return found

    def _prompt(self, source: str, by: Caller) -> Origin:
        if source not in PROMPT_SOURCES:
            raise InvalidInput(
                f"Invalid prompt source: '{source[:300]}'. Prompt sources must use an MLflow placeholder."
            )
        return Origin(source, "", "", "", self._parts.label_of(by))

    def _origin(self, project: str, text: str, run_id: str, model_id: str, by: Caller) -> Origin:
        source = read_source(text or (f"models:/{model_id}" if model_id else ""))
        if source.name:
            return self._copied(project, source, run_id, model_id, by)
        if source.model_id:
            return self._of_model(project, source, run_id, model_id, by)
        return self._of_run(project, source, run_id, model_id, by)

    def _of_model(self, project: str, source: Source, run_id: str, model_id: str, by: Caller) -> Origin:
        if model_id and model_id != source.model_id:
            raise misnamed(source.text, "model_id")
        model = self._logged.get(project, source.model_id, by=by)
        if source.experiment and source.experiment != model.experiment:
            raise misnamed(source.text, "model_id")
        if run_id and run_id != model.run:
            raise misnamed(source.text, "run_id")
        return Origin(source.text, f"{model.root}/artifacts", model.run, model.id, model.label)

    def _of_run(self, project: str, source: Source, run_id: str, model_id: str, by: Caller) -> Origin:
        if model_id:
            raise misnamed(source.text, "model_id")
        if run_id != source.run:
            raise misnamed(source.text, "run_id")
        run = self._parts.runs.get(project, source.run)
        if not self._parts.sees(project, run.id, by):
            raise NotFound(f"Run with id={run.id} not found")
        if source.experiment and source.experiment != run.experiment:
            raise misnamed(source.text, "run_id")
        path = checked(source.path)
        place = f"{run.experiment}/{run.id}/artifacts/{path}".rstrip("/")
        if not self._files(project, place):
            # `runs:/RUN/NAME` also names the model that the run logged under that name: its files lie elsewhere.
            for model in self._models.logged_of(project, [run.experiment], runs=[run.id]):
                if model.name == path and not model.is_deleted:
                    return Origin(source.text, f"{model.root}/artifacts", run.id, model.id, model.label)
        return Origin(source.text, place, run.id, "", run.label)

    def _copied(self, project: str, source: Source, run_id: str, model_id: str, by: Caller) -> Origin:
        home = self._home(project, check_model_name(source.name))
        if says_prompt(home.tags):
            raise InvalidInput(
                f"Invalid model version source: '{source.text[:300]}'. Prompt versions cannot be used as model version sources."
            )
        number: object = source.number
        if source.alias:
            number = home.aliases.get(source.alias)
            if number is None:
                raise InvalidInput(f"Registered model alias {source.alias} not found.")
        elif source.number == "latest":
            newest = self.newest(project, [home.name], by=by).get(home.name)
            number = newest.number if newest else 0
        copied = self.get(project, home.name, number, by=by)
        if (run_id and run_id != copied.run) or (model_id and model_id != copied.model_id):
            raise InvalidInput(
                f"Invalid model version source: '{source.text[:300]}'. The run_id and model_id request parameters must match the "
                "referenced model version."
            )
        return Origin(f"models:/{home.name}/{copied.number}", copied.place, copied.run, copied.model_id, copied.label)

    def _files(self, project: str, place: str) -> Sequence[Artifact]:
        root, prefix = split(place) if place else ("", "")
        found = self._parts.keeping.files(project, root, prefix) if root else ()
        skipped = len(prefix) + 1 if prefix else 0
        return [replace(one, path=one.path[skipped:]) if one.path != prefix else one for one in found]

    def _digest(self, project: str, place: str) -> str:
        return _sha256("\n".join(f"{one.sha256}  {one.path}" for one in self._files(project, place)))


def _attributes(version: ModelVersion) -> dict[str, Scalar]:
    return {
        "name": version.name, "version_number": version.number, "run_id": version.run, "source_path": version.source,
        "creation_timestamp": milliseconds(version.created_at),
        "last_updated_timestamp": milliseconds(version.changed_at),
    }  # fmt: skip


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
