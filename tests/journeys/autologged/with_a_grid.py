"""A search over a small grid: a run for the search, and one below it for each of its trials."""

import mlflow
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV

mlflow.set_experiment("autolog-grid")
mlflow.autolog()

wine = load_wine(as_frame=True)
search = GridSearchCV(RandomForestClassifier(n_estimators=3, random_state=7), {"max_depth": [1, 2, 3]}, cv=2)
with mlflow.start_run(run_name="grid"):
    search.fit(wine.data, wine.target)
