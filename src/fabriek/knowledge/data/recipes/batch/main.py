"""Foretells with a saved model, a part of the rows at a time, and leaves the rows with the answers. Plain scikit-learn and MLflow."""

import argparse
import json
import os
import time
from pathlib import Path

import mlflow
import pandas as pd
import skops.io

parser = argparse.ArgumentParser()
parser.add_argument("--model", type=Path, required=True)
parser.add_argument("--data", type=Path)
parser.add_argument("--rows", type=int, default=10_000)
asked = parser.parse_args()

file = asked.model / "model.skops"
if not file.is_file():
    raise SystemExit("there is no model.skops in this model: it was not made by the recipe tabular")
about = json.loads((asked.model / "model.json").read_text())
known = set(about["trusted"])
if unknown := [
    one for one in skops.io.get_untrusted_types(file=file) if one not in known or not one.startswith("sklearn.")
]:
    raise SystemExit(f"the model holds parts that are not scikit-learn's own: {', '.join(unknown)}")
model, target = skops.io.load(file, trusted=sorted(known)), about["target"]
files = sorted(asked.data.rglob("*.csv")) if asked.data else [asked.model / "test.csv"]
if not files:
    raise SystemExit("there is no CSV file in the data")

result = Path(os.environ["FABRIEK_OUTPUT"]) / "predictions.csv"
done = right = judged = 0
began = time.perf_counter()
with mlflow.start_run():
    mlflow.log_params({"files": len(files), "rows_at_a_time": asked.rows})
    for one in files:
        for part in pd.read_csv(one, chunksize=asked.rows):
            answers = part.pop(target).astype(str) if target in part.columns else None
            chances = model.predict_proba(part)
            foretold = model.classes_[chances.argmax(axis=1)]
            part.assign(foretold=foretold, chance=chances.max(axis=1)).to_csv(
                result, mode="a", header=done == 0, index=False
            )
            done += len(part)
            if answers is not None:
                right, judged = right + int((answers.to_numpy() == foretold).sum()), judged + len(part)
    mlflow.log_metrics({"rows": done, "rows_per_second": done / (time.perf_counter() - began)})
    if judged:
        mlflow.log_metric("accuracy", right / judged)
print(f"done: {done} rows" + (f", {right / judged:.1%} of {judged} right" if judged else ""), flush=True)
