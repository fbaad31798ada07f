"""What a statement of origin says went into a result."""

from fabriek.assurance.statements import JobFacts, statement


def test_a_base_model_is_named_with_its_commit_and_licence() -> None:
    facts = JobFacts(
        "job_1", "prj_1", "r", ("true",), "e" * 64, None, (), (), (("tuned", 1, "f" * 64, "internal"),), (), "internal", None, None,
        base_models=(("acme/tiny", "a" * 40, "a" * 64, "apache-2.0", "internal"),),
    )  # fmt: skip
    used = statement(facts, "here")["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert used[0] == {
        "name": f"base-model:acme/tiny@{'a' * 40}",
        "digest": {"sha256": "a" * 64},
        "annotations": {"label": "internal", "licence": "apache-2.0"},
    }


def test_a_model_that_was_served_is_named_with_its_files_hash() -> None:
    facts = JobFacts(
        "job_1", "prj_1", "r", ("fabriek-serve",), "e" * 64, None, (), (), (), (), "internal", None, None, served=("chat@3", "a" * 64, "internal")
    )  # fmt: skip
    used = statement(facts, "here")["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert used[0] == {
        "name": "model:chat@3",
        "digest": {"sha256": "a" * 64},
        "annotations": {"label": "internal"},
    }
