"""The SQL of what a run says of itself: parameters, tags, the data and models that it took in and gave out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import JSON, BigInteger, Column, Float, Integer, String, Table, Text, delete, insert, select, update

from fabriek.adapters.database import Database, metadata
from fabriek.kernel.errors import InvalidInput
from fabriek.lab.metrics import Metric, ModelMetric, newest_first, value_of
from fabriek.lab.runs import DataInput, Links, ModelLink

params = Table(
    "lab_params",
    metadata,
    Column("run", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

tags = Table(
    "lab_tags",
    metadata,
    Column("run", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

inputs = Table(
    "lab_inputs",
    metadata,
    Column("run", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("digest", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("source_type", String, nullable=False),
    Column("source", Text, nullable=False),
    Column("schema", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("context", String),
    Column("tags", JSON, nullable=False),
)

model_links = Table(
    "lab_model_links",
    metadata,
    Column("run", String, primary_key=True),
    Column("model", String, primary_key=True, index=True),
    Column("way", String, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("step", BigInteger, nullable=False),
)

model_metrics = Table(
    "lab_model_metrics",
    metadata,
    Column("model", String, primary_key=True),
    Column("run", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("dataset_name", String, primary_key=True),
    Column("dataset_digest", String, primary_key=True),
    Column("value", Float),
    Column("at_ms", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("rank", BigInteger, nullable=False),
)

CONTEXT_TAG = "mlflow.data.context"
RUNS_AT_ONCE = 500
IN, OUT = "in", "out"


class SqlTracks:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put_params(self, run: str, given: Mapping[str, str]) -> None:
        known = self.params([run]).get(run, {})
        for key, value in given.items():
            if key in known and known[key] != value:
                raise InvalidInput(
                    f"Changing param values is not allowed. Param with key='{key}' was already logged with value='{known[key]}' "
                    f"for run ID='{run}'. Attempted logging new value '{value}'."
                )
        fresh = [{"run": run, "key": key, "value": value} for key, value in given.items() if key not in known]
        if fresh:
            self._db.execute(insert(params), fresh)

    def first_tags(self, run: str, given: Mapping[str, str]) -> None:
        self._db.insert_many(tags, [(run, key, value) for key, value in given.items()])

    def put_tags(self, run: str, given: Mapping[str, str]) -> None:
        known = self.tags([run]).get(run, {})
        for key, value in given.items():
            if key in known:
                self._db.execute(update(tags).where(tags.c.run == run, tags.c.key == key).values(value=value))
        fresh = [{"run": run, "key": key, "value": value} for key, value in given.items() if key not in known]
        if fresh:
            self._db.execute(insert(tags), fresh)

    def remove_tag(self, run: str, key: str) -> bool:
        return self._db.execute(delete(tags).where(tags.c.run == run, tags.c.key == key)) > 0

    def params(self, wanted: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        return self._pairs(params, wanted)

    def tags(self, wanted: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        return self._pairs(tags, wanted)

    def put_inputs(self, run: str, given: Sequence[DataInput]) -> None:
        known = {(one.name, one.digest) for one in self.links([run])[run].data}
        for one in given:
            if (one.name, one.digest) in known:
                continue
            known.add((one.name, one.digest))
            row = {
                "run": run, "name": one.name, "digest": one.digest, "number": len(known), "source_type": one.source_type, "source": one.source,
                "schema": one.schema, "profile": one.profile, "context": one.tags.get(CONTEXT_TAG), "tags": dict(one.tags),
            }  # fmt: skip
            self._db.execute(insert(inputs).values(**row))

    def put_models(self, run: str, given: Sequence[ModelLink], *, out: bool) -> None:
        known = self.links([run])[run]
        start = len(known.models_out if out else known.models_in)
        for number, one in enumerate(given, start=start):
            row = {"run": run, "model": one.model, "way": OUT if out else IN, "number": number, "step": one.step}
            self._db.put(model_links, row, ("run", "model", "way"))

    def links(self, wanted: Sequence[str]) -> Mapping[str, Links]:
        data: dict[str, list[DataInput]] = defaultdict(list)
        ways: dict[tuple[str, str], list[ModelLink]] = defaultdict(list)
        for part in _parts(wanted):
            for row in self._db.rows(select(inputs).where(inputs.c.run.in_(part)).order_by(inputs.c.number)):
                one = DataInput(row.name, row.digest, row.source_type, row.source, row.schema, row.profile, row.tags)
                data[row.run].append(one)
            chosen = select(model_links).where(model_links.c.run.in_(part)).order_by(model_links.c.number)
            for row in self._db.rows(chosen):
                ways[row.run, row.way].append(ModelLink(row.model, row.step))
        return {run: Links(data[run], ways[run, IN], ways[run, OUT]) for run in wanted}

    def put_model_metrics(self, given: Sequence[ModelMetric]) -> None:
        for one in given:
            at_ms, step, ranked = one.metric.place
            row = {
                "model": one.model, "run": one.run, "key": one.metric.key, "dataset_name": one.dataset_name,
                "dataset_digest": one.dataset_digest, "value": None if one.metric.value != one.metric.value else one.metric.value,  # NaN
                "at_ms": at_ms, "step": step, "rank": ranked,
            }  # fmt: skip
            names = ("model", "run", "key", "dataset_name", "dataset_digest")
            known = self._db.row(select(model_metrics).where(*(model_metrics.c[name] == row[name] for name in names)))
            if known is None or newest_first((known.at_ms, known.step, known.rank)) <= newest_first(one.metric.place):
                self._db.put(model_metrics, row, names)

    def model_metrics(self, models: Sequence[str]) -> Mapping[str, Sequence[ModelMetric]]:
        found: dict[str, list[ModelMetric]] = defaultdict(list)
        for part in _parts(models):
            for row in self._db.rows(
                select(model_metrics).where(model_metrics.c.model.in_(part)).order_by(model_metrics.c.key)
            ):
                metric = Metric(row.key, value_of(row.rank), row.at_ms, row.step)
                found[row.model].append(ModelMetric(row.model, row.run, metric, row.dataset_name, row.dataset_digest))
        return found

    def _pairs(self, table: Table, wanted: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for part in _parts(wanted):
            for row in self._db.rows(select(table).where(table.c.run.in_(part)).order_by(table.c.run, table.c.key)):
                found[row.run][row.key] = row.value
        return found


def _parts(names: Sequence[str]) -> list[Sequence[str]]:
    return [names[start : start + RUNS_AT_ONCE] for start in range(0, len(names), RUNS_AT_ONCE)]
