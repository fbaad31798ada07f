"""Trains a classifier on a table, tests it on rows that it has not seen, and registers it. Plain scikit-learn and MLflow."""

import argparse
import json
import os
from pathlib import Path

import mlflow
import pandas as pd
import skops.io
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

TRUSTED = [
    "sklearn._loss.link.Interval", "sklearn._loss.link.LogitLink", "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss", "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "sklearn.tree._tree.Tree",
]  # fmt: skip
"""Parts of scikit-learn's own models that skops asks about by name."""

parser = argparse.ArgumentParser()
parser.add_argument("--method", default="boosting")
parser.add_argument("--trees", type=int, default=150)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--data", type=Path)
parser.add_argument("--target", default="target")
parser.add_argument("--register", default="")
asked = parser.parse_args()

if asked.data:
    (file,) = sorted(asked.data.rglob("*.csv"))  # one table; with more of them one would be guessed
    table = pd.read_csv(file)
else:
    table = load_breast_cancer(as_frame=True).frame
if asked.target not in table.columns:
    raise SystemExit(f"there is no column {asked.target}; there are {', '.join(table.columns)}")
x, y = table.drop(columns=asked.target), table[asked.target].astype(str)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=asked.seed, stratify=y)
print(f"{len(table)} rows, {x.shape[1]} columns, {y.nunique()} classes; {len(x_test)} rows kept apart", flush=True)

learner = {
    "boosting": HistGradientBoostingClassifier(max_iter=asked.trees, learning_rate=0.1, random_state=asked.seed),
    "forest": RandomForestClassifier(n_estimators=asked.trees, random_state=asked.seed),
    "linear": LogisticRegression(max_iter=2_000),
}[asked.method]
prepare = make_column_transformer(
    (StandardScaler(), make_column_selector(dtype_include="number")),
    (
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        make_column_selector(dtype_exclude="number"),
    ),
)
model = make_pipeline(prepare, learner)

with mlflow.start_run():
    mlflow.log_params({"method": asked.method, "trees": asked.trees, "seed": asked.seed, "rows": len(table)})
    model.fit(x_train, y_train)
    accuracy = accuracy_score(y_test, model.predict(x_test))
    chances = model.predict_proba(x_test)
    area = roc_auc_score(y_test, chances[:, 1] if y.nunique() == 2 else chances, multi_class="ovr")
    mlflow.log_metrics({"test_accuracy": accuracy, "test_auc": area})
    if asked.register:
        mlflow.sklearn.log_model(
            model,
            name="model",
            serialization_format="skops",
            skops_trusted_types=TRUSTED,
            pip_requirements=["scikit-learn", "skops"],
            registered_model_name=asked.register,
        )

output = Path(os.environ["FABRIEK_OUTPUT"])
skops.io.dump(model, output / "model.skops")
x_test.assign(**{asked.target: y_test}).to_csv(output / "test.csv", index=False)
(output / "model.json").write_text(json.dumps({"target": asked.target, "trusted": TRUSTED}))
print(f"done: {accuracy:.1%} of the test rows are right, area under the curve {area:.4f}", flush=True)
