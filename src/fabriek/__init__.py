"""Fabriek: the software of an AI factory. `ARCHITECTURE.md` is the map; each folder's docstring is one street of it."""

__version__ = "0.1.0"
