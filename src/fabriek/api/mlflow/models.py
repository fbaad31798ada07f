"""MLflow's calls on models and their files, together: method and path → what is answered."""

from fabriek.api.mlflow.artifacts import ARTIFACT_CALLS
from fabriek.api.mlflow.logged_models import LOGGED_MODEL_CALLS
from fabriek.api.mlflow.model_versions import MODEL_VERSION_CALLS
from fabriek.api.mlflow.registered_models import REGISTERED_MODEL_CALLS

MODEL_CALLS = {**ARTIFACT_CALLS, **LOGGED_MODEL_CALLS, **REGISTERED_MODEL_CALLS, **MODEL_VERSION_CALLS}
