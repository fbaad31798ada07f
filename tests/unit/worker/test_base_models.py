"""Where jobs are told to look for base models, and when they are left alone."""

from dataclasses import replace

from fabriek.compute.secrets.secrets import SecretUse
from fabriek.worker.base_models import hub_variables
from tests.factories.compute import a_job


def test_a_job_is_sent_to_its_own_socket_with_its_own_token() -> None:
    said = hub_variables(a_job(), "a token")
    assert (said["HF_ENDPOINT"], said["HF_TOKEN"]) == ("http://127.0.0.1:5000/hub", "a token")
    assert said["HF_HUB_DISABLE_TELEMETRY"] == said["HF_HUB_DISABLE_XET"] == "1"


def test_a_job_that_names_a_hub_or_a_token_keeps_what_it_has() -> None:
    job = a_job()
    for own in (
        replace(job, environment={"HF_ENDPOINT": "https://huggingface.co"}),
        replace(job, environment={"HF_TOKEN": "mine"}),
        replace(job, secrets=(SecretUse("THEIRS", variable="HF_TOKEN"),)),
    ):
        assert hub_variables(own, "a token") == {}
