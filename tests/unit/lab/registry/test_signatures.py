"""What a model takes and gives, out of the file that MLflow writes."""

import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.models import infer_signature

from fabriek.lab.registry.signatures import Column, Signature, read_signature


def test_what_mlflow_writes_is_read() -> None:
    written = infer_signature(pd.DataFrame({"age": [1.5], "name": ["a"]}), np.zeros((2, 3), "float32"), {"k": 3})
    said = read_signature(yaml.safe_dump({"flavors": {}, "signature": written.to_dict()}))
    assert said is not None
    assert said.inputs == (Column("age", "double"), Column("name", "string"))
    assert said.outputs == (Column("", "tensor float32 [-1, 3]"),)
    assert [(one.name, one.kind) for one in said.params] == [("k", "long")]


@pytest.mark.parametrize(
    "mlmodel",
    ["", "a: 1", "signature: text", "signature: {inputs: 'not json'}", "- a", "signature: {inputs: '[1, null]'}", ": :",
     "signature: {inputs: '" + "[" * 10_000 + "'}", "signature: {inputs: [" + "[]," * 80_000 + "]}"],
)  # fmt: skip
def test_what_is_none_is_none(mlmodel: str) -> None:
    assert read_signature(mlmodel) is None


def test_hardly_any_of_a_huge_one_is_kept() -> None:
    said = read_signature("signature: {inputs: '" + str([{"name": "x" * 5_000}] * 2_000).replace("'", '"') + "'}")
    assert isinstance(said, Signature)
    assert len(said.inputs) == 500
    assert len(said.inputs[0].name) == 200
