"""One combination of a sweep: boosted trees on pictures of digits, with the loss after every tree. Plain LightGBM and MLflow."""

import argparse
import os

import lightgbm
import mlflow
import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float, default=0.1)
parser.add_argument("--leaves", type=int, default=31)
parser.add_argument("--trees", type=int, default=80)
parser.add_argument("--seed", type=int, default=7)
asked = parser.parse_args()

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=asked.seed, stratify=y)
params = {
    "objective": "multiclass", "num_class": 10, "learning_rate": asked.learning_rate, "num_leaves": asked.leaves, "seed": asked.seed,
    "num_threads": len(os.sched_getaffinity(0)), "verbose": -1,
}  # fmt: skip

with mlflow.start_run():
    mlflow.log_params(vars(asked))

    def log_loss(done: lightgbm.callback.CallbackEnv) -> None:
        for _, _, loss, *_ in done.evaluation_result_list or []:
            mlflow.log_metric("test_loss", loss, step=done.iteration)

    booster = lightgbm.train(
        params,
        lightgbm.Dataset(x_train, y_train),
        num_boost_round=asked.trees,
        valid_sets=[lightgbm.Dataset(x_test, y_test)],
        callbacks=[log_loss],
    )
    accuracy = accuracy_score(y_test, np.argmax(booster.predict(x_test), axis=1))
    mlflow.log_metric("test_accuracy", accuracy)
print(f"rate {asked.learning_rate:g}, {asked.leaves} leaves: {accuracy:.1%} right", flush=True)
