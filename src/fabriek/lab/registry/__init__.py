"""The registry: models that runs logged, names with versions and aliases."""
