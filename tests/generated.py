"""The reference pages that are made from the code: `python -m tests.generated` writes them, `--check` compares."""

import inspect
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
from fastapi import FastAPI

from fabriek.adapters.database import metadata, open_database
from fabriek.api import app as api
from fabriek.api.mlflow.routes import build_job_app
from fabriek.cli.main import fabriek
from fabriek.kernel.errors import BY_CODE, FabriekError
from fabriek.portal import app as portal
from fabriek.schemas.codes import EXIT_INTERRUPTED, EXIT_JOB_FAILED, MEANINGS
from fabriek.schemas.jobfile import JobFile
from fabriek.settings import Settings
from fabriek.web.router import access_table
from tests.api.mlflow import catalogue
from tests.factories.services import a_town

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
WIDTH = 100


def pages() -> dict[str, str]:
    """File name → text, for every page that is made."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/fabriek.db")
        metadata.create_all(database.engine)
        services = a_town(database, Path(folder, "home")).services
        main = api.build(services, portal=portal.routes(services))
        jobs = build_job_app(services)
        made = {
            "openapi.json": openapi(main),
            "access.md": access(main, jobs),
            "mlflow.md": catalogue.page(main, (REFERENCE / "mlflow.md").read_text()),
        }
        database.close()
    return made | {
        "settings.md": settings(),
        "errors.md": errors(),
        "cli.md": command_line(),
        "job.schema.json": job_schema(),
    }


def openapi(app: FastAPI) -> str:
    return json.dumps(app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def job_schema() -> str:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "job.schema.json",
    } | JobFile.model_json_schema()
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def access(main: FastAPI, jobs: FastAPI) -> str:
    text = """# Who may call what

Read off the routes themselves. *public*: anyone. *signed in*: any person, and inside a project any member; with a narrowed token only to
look, unless *by any token* is said. *holder*: whoever holds the grant or upload that the path names, a job's node among them. Anything
else is a right, which a role gives (`fabriek whoami` shows yours). A project or thing that is not the caller's to know answers as one
that does not exist.

"""
    for title, app in (("The server", main), ("What a job reaches, and nothing else", jobs)):
        rows = sorted((path, method, str(rule)) for method, path, rule in access_table(app.routes) if method != "HEAD")
        text += f"## {title}\n\n| path | method | access |\n| --- | --- | --- |\n"
        text += "".join(f"| `{path}` | {method} | {rule} |\n" for path, method, rule in rows) + "\n"
    return text.rstrip() + "\n"


def settings() -> str:
    text = """# Settings

Read once at the start: the default, then `fabriek.toml` in the home, then the variable, then the flag of `fabriek up`, where there is one.

| setting | variable | default | unit | what it does |
| --- | --- | --- | --- | --- |
"""
    for one in fields(Settings):
        shown = {"home": "~/.fabriek"}.get(one.name, str("" if one.default is None else one.default)) or "(empty)"
        variable = f"`FABRIEK_{one.name.upper()}`"
        text += f"| `{one.name}` | {variable} | {shown} | {one.metadata['unit']} | {one.metadata['says']} |\n"
    return text


def errors() -> str:
    text = f"""# Errors

Each error says what went wrong, why, and what mends it: to programs as `application/problem+json` (RFC 9457) with `code`, `fix` and
`request_id`, on MLflow's routes in MLflow's words, in the portal as a page, on the command line as three lines and an exit code. The
command line also leaves with {EXIT_JOB_FAILED} when the job itself failed, and with {EXIT_INTERRUPTED} when it was interrupted.

| code | meaning | HTTP | exit code | MLflow |
| --- | --- | --- | --- | --- |
"""
    for code, meaning in MEANINGS.items():
        mlflow = f"{meaning.mlflow_status} {meaning.mlflow}"
        text += f"| `{code}` | {meaning.title}. | {meaning.http} | {meaning.exit} | {mlflow} |\n"
    text += "\n"
    for code in MEANINGS:
        said = inspect.getdoc(BY_CODE.get(code, FabriekError))
        if said and BY_CODE.get(code) is not None and BY_CODE[code].__doc__:
            text += f"`{code}`: {' '.join(said.split())}\n\n"
    return text.rstrip() + "\n"


def command_line() -> str:
    text = "# The command line\n\nMade from the commands' own help.\n"
    for path, command in _commands(fabriek, "fabriek"):
        with click.Context(command, info_name=path, terminal_width=WIDTH, **fabriek.context_settings) as context:
            text += f"\n## `{path}`\n\n```\n{command.get_help(context)}\n```\n"
    return text


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None, f"{path} lists {name} and has it not"
            yield from _commands(below, f"{path} {name}")


def differing() -> list[str]:
    """The pages whose file is not what the code says."""
    found = []
    for name, text in pages().items():
        file = REFERENCE / name
        if not file.exists() or file.read_text("utf-8") != text:
            found.append(name)
    return found


def main(arguments: list[str]) -> int:
    if "--check" in arguments:
        old = differing()
        for name in old:
            sys.stdout.write(f"docs/reference/{name} is not what the code says: python -m tests.generated\n")
        return 1 if old else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
