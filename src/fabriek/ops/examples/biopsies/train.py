"""Trains a classifier on the biopsy measurements, and logs what it does with the MLflow client as it comes from its makers."""

import csv
import json
import os
from pathlib import Path

import mlflow
import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

DATA = Path(os.environ["FABRIEK_DATA_BIOPSIES"]) / "measurements.csv"
EPOCHS = 20
PARAMS = {"alpha": 1e-3, "learning_rate": "adaptive", "eta0": 0.01, "seed": 7}

with DATA.open(newline="", encoding="utf-8") as lines:
    rows = list(csv.DictReader(lines))
features = [name for name in rows[0] if name != "diagnosis"]
x = np.array([[float(row[name]) for name in features] for row in rows])
y = np.array([row["diagnosis"] == "malignant" for row in rows], dtype=int)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=PARAMS["seed"], stratify=y)
print(f"{len(rows)} biopsies, {len(features)} measurements each; {len(y_test)} kept apart for the test", flush=True)

scale = StandardScaler().fit(x_train)
model = SGDClassifier(
    loss="log_loss",
    alpha=PARAMS["alpha"],
    learning_rate=PARAMS["learning_rate"],
    eta0=PARAMS["eta0"],
    random_state=PARAMS["seed"],
)
with mlflow.start_run():
    mlflow.log_params(PARAMS)
    for epoch in range(EPOCHS):
        model.partial_fit(scale.transform(x_train), y_train, classes=[0, 1])
        chance = model.predict_proba(scale.transform(x_test))[:, 1]
        loss, area = log_loss(y_test, chance), roc_auc_score(y_test, chance)
        mlflow.log_metrics({"test_loss": loss, "test_auc": area}, step=epoch)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2}: loss {loss:.3f}, area under the curve {area:.4f}", flush=True)
    mlflow.sklearn.log_model(
        make_pipeline(scale, model),
        name="model",
        serialization_format="skops",
        skops_trusted_types=["sklearn.linear_model._sgd_fast.Log"],
        pip_requirements=["scikit-learn", "skops"],
        registered_model_name="biopsy-classifier",
    )

output = Path(os.environ["FABRIEK_OUTPUT"])
(output / "figures.json").write_text(json.dumps({"test_loss": loss, "test_auc": area, "tested": len(y_test)}))
print(f"done: the model finds {area:.1%} of pairs in the right order", flush=True)
