"""Boosted trees, by LightGBM's own training loop."""

import lightgbm as lgb
import mlflow
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

mlflow.set_experiment("autolog-lightgbm")
mlflow.autolog()

wine = load_wine(as_frame=True)
train_x, test_x, train_y, test_y = train_test_split(wine.data, wine.target, random_state=7)
train = lgb.Dataset(train_x, label=train_y)
held_out = lgb.Dataset(test_x, label=test_y)

with mlflow.start_run(run_name="boosted"):
    lgb.train(
        {"objective": "multiclass", "num_class": 3, "metric": "multi_logloss", "num_leaves": 7, "verbose": -1, "num_threads": 1},
        train,
        num_boost_round=10,
        valid_sets=[train, held_out],
        valid_names=["train", "test"],
    )  # fmt: skip
