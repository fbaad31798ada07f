"""The MLflow dialect, as its released client speaks it."""
