"""Experiments and models. `service` has the verbs on experiments and runs, `registry` those on models, `keeping` those on artifacts."""
