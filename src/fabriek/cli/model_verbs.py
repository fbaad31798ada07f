"""All verbs of `fabriek model`, which stand in modules by what they are about."""

from fabriek.cli import model_push, model_serve
from fabriek.cli.model import model

__all__ = ["model", "model_push", "model_serve"]
