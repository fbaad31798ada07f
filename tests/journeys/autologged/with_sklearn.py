"""A forest."""

import mlflow
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

mlflow.set_experiment("autolog-sklearn")
mlflow.autolog()

wine = load_wine(as_frame=True)
train_x, test_x, train_y, test_y = train_test_split(wine.data, wine.target, random_state=7)

with mlflow.start_run(run_name="forest"):
    forest = RandomForestClassifier(n_estimators=5, max_depth=3, random_state=7)
    forest.fit(train_x, train_y)
    print("accuracy", forest.score(test_x, test_y))
