"""the first schema."""

import sqlalchemy as sa
from alembic import op

from fabriek.adapters.instants import Instant

INDEX_SQLITE = "create virtual table knowledge_index using fts5(card unindexed, title, words, tokenize = 'unicode61')"
INDEX_POSTGRESQL = (
    "create table knowledge_index (card text primary key, title text not null, words text not null, found tsvector generated always as "
    "(setweight(to_tsvector('simple', title), 'A') || to_tsvector('simple', words)) stored); "
    "create index knowledge_index_found on knowledge_index using gin (found)"
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "access_applications",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("call", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("access_applications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_applications_organisation"), ["organisation"], unique=False)

    op.create_table(
        "access_credentials",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    with op.batch_alter_table("access_credentials", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_credentials_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_access_credentials_job"), ["job"], unique=False)

    op.create_table(
        "access_memberships",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("project", "person"),
    )
    with op.batch_alter_table("access_memberships", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_memberships_person"), ["person"], unique=False)

    op.create_table(
        "access_names",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("person"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "access_organisations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("kvk", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("slug"),
    )
    op.create_table(
        "access_people",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("access_people", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_access_people_organisation"), ["organisation"], unique=False)

    op.create_table(
        "access_projects",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("label_ceiling", sa.String(), nullable=False),
        sa.Column("lead_organisation", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("slug"),
    )
    op.create_table(
        "assurance_statements",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_table("audit_checkpoint", sa.Column("note", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("note"))
    op.create_table(
        "audit_events",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("leaf"),
    )
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_events_person"), ["person"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_events_subject"), ["subject"], unique=False)

    op.create_table(
        "audit_tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "index"),
    )
    op.create_table(
        "compute_decisions",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("starts", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.Column("decided_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_table(
        "compute_jobs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("argv", sa.JSON(), nullable=False),
        sa.Column("cpus", sa.Integer(), nullable=False),
        sa.Column("gpus", sa.Integer(), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("wall_seconds_max", sa.Integer(), nullable=False),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("submitted_at", Instant(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=True),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ran_seconds", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("environment", sa.JSON(), nullable=False),
        sa.Column("environment_hash", sa.String(), nullable=False),
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("output", sa.String(), nullable=False),
        sa.Column("energy_joules", sa.Float(), nullable=False),
        sa.Column("requirements", sa.Text(), nullable=False),
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("cancelling", sa.Boolean(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("held_micro", sa.BigInteger(), nullable=False),
        sa.Column("used_micro", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("compute_jobs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_compute_jobs_project"), ["project"], unique=False)
        batch_op.create_index(batch_op.f("ix_compute_jobs_run"), ["run"], unique=False)
        batch_op.create_index(batch_op.f("ix_compute_jobs_settled"), ["settled"], unique=False)
        batch_op.create_index(batch_op.f("ix_compute_jobs_state"), ["state"], unique=False)

    op.create_table(
        "compute_power_limits",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("watts", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("compute_power_limits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_compute_power_limits_ends_at"), ["ends_at"], unique=False)

    op.create_table(
        "funding_allocations",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("application"),
    )
    with op.batch_alter_table("funding_allocations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_funding_allocations_project"), ["project"], unique=False)

    op.create_table(
        "funding_balances",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_micro >= 0 or account like 'contribution:%'", name="funding_never_negative"),
        sa.PrimaryKeyConstraint("account", "resource"),
    )
    op.create_table(
        "funding_contributions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("funder", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount_euro", sa.BigInteger(), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("granted_on", sa.Date(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "funding_entries",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("transaction", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("memo", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("funding_entries", schema=None) as batch_op:
        batch_op.create_index("funding_entries_account", ["account", "resource"], unique=False)
        batch_op.create_index(batch_op.f("ix_funding_entries_transaction"), ["transaction"], unique=False)

    op.create_table(
        "funding_holds",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("allocation", sa.String(), nullable=False),
        sa.Column("share", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("amount_micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
    )
    with op.batch_alter_table("funding_holds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_funding_holds_allocation"), ["allocation"], unique=False)

    op.create_table(
        "funding_postings",
        sa.Column("transaction", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("transaction"),
        sa.UniqueConstraint("key"),
    )
    op.create_table(
        "funding_shares",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("funder", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("funder"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "knowledge_answers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("knowledge_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_knowledge_answers_question"), ["question"], unique=False)

    op.create_table(
        "knowledge_bookings",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("expert", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("booked_at", Instant(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("knowledge_bookings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_knowledge_bookings_expert"), ["expert"], unique=False)

    op.create_table(
        "knowledge_cards",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("licence", sa.String(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("keywords", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject"),
    )
    op.create_table(
        "knowledge_experts",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person"),
    )
    op.create_table(
        "knowledge_questions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lab_artifacts",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("project", "root", "path"),
    )
    op.create_table(
        "lab_experiments",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("project", "id"),
    )
    with op.batch_alter_table("lab_experiments", schema=None) as batch_op:
        batch_op.create_index("lab_experiments_name", ["project", "name"], unique=True)

    op.create_table(
        "lab_latest",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run", "key"),
    )
    op.create_table(
        "lab_logged_models",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("model_type", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("lab_logged_models", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lab_logged_models_project"), ["project"], unique=False)

    op.create_table(
        "lab_metrics",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("row"),
    )
    with op.batch_alter_table("lab_metrics", schema=None) as batch_op:
        batch_op.create_index("lab_metrics_point", ["run", "key", "step", "at_ms"], unique=False)

    op.create_table(
        "lab_model_versions",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("project", "name", "number"),
    )
    with op.batch_alter_table("lab_model_versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lab_model_versions_run"), ["run"], unique=False)

    op.create_table(
        "lab_models",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("aliases", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("project", "name"),
    )
    op.create_table(
        "lab_params",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "key"),
    )
    op.create_table(
        "lab_runs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("experiment", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("lab_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lab_runs_job"), ["job"], unique=False)
        batch_op.create_index("lab_runs_project", ["project", "experiment", "started_at"], unique=False)

    op.create_table(
        "lab_tags",
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run", "key"),
    )
    op.create_table(
        "vault_agreements",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("purposes", sa.String(), nullable=False),
        sa.Column("right", sa.String(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("signed_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("vault_agreements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vault_agreements_dataset"), ["dataset"], unique=False)

    op.create_table(
        "vault_datasets",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project", "name"),
    )
    with op.batch_alter_table("vault_datasets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vault_datasets_job"), ["job"], unique=False)

    op.create_table(
        "vault_epochs",
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "number"),
    )
    op.create_table(
        "vault_grants",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("right", sa.String(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("vault_grants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vault_grants_job"), ["job"], unique=False)
        batch_op.create_index("vault_grants_of_dataset", ["dataset", "opened_at"], unique=False)

    op.create_table(
        "vault_object_keys",
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("object"),
    )
    with op.batch_alter_table("vault_object_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vault_object_keys_dataset"), ["dataset"], unique=False)

    op.create_table(
        "vault_objects",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("upload", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("stored_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("vault_objects", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vault_objects_upload"), ["upload"], unique=False)

    op.create_table(
        "vault_requests",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("organisation", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("right", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("vault_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vault_requests_dataset"), ["dataset"], unique=False)

    op.create_table(
        "vault_uploads",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("progress", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("vault_uploads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vault_uploads_job"), ["job"], unique=False)

    op.create_table(
        "vault_version_objects",
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("version", "object"),
    )
    with op.batch_alter_table("vault_version_objects", schema=None) as batch_op:
        batch_op.create_index("vault_version_objects_by_object", ["object"], unique=False)

    op.create_table(
        "vault_versions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dataset", "number"),
    )
    op.create_table(
        "web_answers",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("kept_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    with op.batch_alter_table("web_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_web_answers_kept_at"), ["kept_at"], unique=False)

    op.execute(INDEX_SQLITE if op.get_bind().dialect.name == "sqlite" else INDEX_POSTGRESQL)
