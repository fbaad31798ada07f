"""The command `fabriek`. Commands are loaded when they are called, so that help answers at once."""

import gc
import importlib
import sys
from collections.abc import Sequence
from importlib.util import find_spec

import click

from fabriek.kernel.errors import FabriekError, Unavailable
from fabriek.schemas.codes import EXIT_INTERRUPTED

COMMANDS: dict[str, tuple[str, str]] = {
    "login": ("fabriek.cli.login:login", "Sign in to a factory and remember it."),
    "whoami": ("fabriek.cli.login:whoami", "Who you are here and which rights you hold."),
    "token": ("fabriek.cli.token:token", "Tokens for your programs: narrowed, with an end, revoked when you like."),
    "service": ("fabriek.cli.service:service", "Programs that act in a project under a name of their own."),
    "door": ("fabriek.cli.door:door", "What you have open: sessions, tokens, visits to notebooks."),
    "org": ("fabriek.cli.org_people:org", "Organisations and their people."),
    "project": ("fabriek.cli.project_people:project", "Projects and their members."),
    "apply": ("fabriek.cli.apply_guide:apply", "Apply for compute."),
    "review": ("fabriek.cli.review:review", "Judge applications, or follow your own."),
    "class": ("fabriek.cli.course:course", "Classes: a budget for each student, until the term ends."),
    "funding": ("fabriek.cli.funding_verbs:funding", "Contributions, shares, allocations and the ledger."),
    "report": ("fabriek.cli.report:report", "Reports that awards ask for, and about who paid for what."),
    "usage": ("fabriek.cli.usage:usage", "What projects used at other sites."),
    "data": ("fabriek.cli.data_keeping:data", "Push, pull and share datasets."),
    "run": ("fabriek.cli.run:run", "Run a command as a job and follow it."),
    "forecast": ("fabriek.cli.forecast:forecast", "When a job would start, before you submit it."),
    "recipe": ("fabriek.cli.recipe:recipe", "Jobs that are ready to run: what they reach and cost, and a run of one."),
    "job": ("fabriek.cli.job:job", "Look at jobs, follow, cancel, fetch results."),
    "runs": ("fabriek.cli.runs:runs", "What runs logged: find, compare, bring in from MLflow, take along."),
    "secret": ("fabriek.cli.secret:secret", "Values that jobs may use and nobody reads back."),
    "pack": ("fabriek.cli.pack:pack", "Jobs packed for machines that we do not run."),
    "session": ("fabriek.cli.session_jobs:session", "Notebooks and other web apps that run as jobs."),
    "package": ("fabriek.cli.package:package", "What may be installed here, and how to ask for more."),
    "slurm-shim": ("fabriek.cli.slurm.command:slurm_shim", "Slurm's commands, for programs that call them."),
    "model": ("fabriek.cli.model_verbs:model", "Models: look at them, promote and serve them, bring base models in."),
    "passport": ("fabriek.cli.passport:passport", "A model's passport, and how one is verified."),
    "catalogue": ("fabriek.cli.catalogue:catalogue", "Find, publish and ask for datasets and models."),
    "services": ("fabriek.cli.services:services", "What the factory offers, for whom, and how soon."),
    "ask": ("fabriek.cli.ask:ask", "Ask the expertise centre a question."),
    "case": ("fabriek.cli.case:case", "What you need of the desk, who is on it, and by when."),
    "expert": ("fabriek.cli.expert:expert", "Experts and their hours."),
    "match": ("fabriek.cli.match:match", "Needs and offers of organisations, named once both said yes."),
    "training": ("fabriek.cli.training:training", "Courses, places and certificates."),
    "audit": ("fabriek.cli.audit:audit", "Read and verify the audit log."),
    "admin": ("fabriek.cli.admin_store:admin", "For operators: the machine beneath."),
    "power": ("fabriek.cli.power:power", "Power limits and what is drawn."),
}
"""Name → (where it is, its line in the help). The operator's commands come from the entry-point group `fabriek.commands`."""

OPERATORS: dict[str, str] = {
    "up": "Start a factory on this machine.",
    "down": "Stop the factory that `up --detach` started.",
    "demo": "Run the whole story on real data, in a fresh home.",
    "doctor": "Check this machine and this installation.",
    "passphrase": "Set or change the passphrase of the keyring.",
    "migrate": "Bring the database to this release.",
    "backup": "Write a backup of the whole installation.",
    "restore": "Restore a backup into an empty home.",
    "simulate": "Replay jobs under another policy, or on another machine.",
}


SELDOM = (50_000, 20, 50)
"""When a client looks for rings of objects that nobody needs: of a push of many files it was an eighth, and there are none."""


class Lazy(click.Group):
    """A group that imports a command's module only when that command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return [*OPERATORS, *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        if cmd_name in COMMANDS:
            return _loaded(COMMANDS[cmd_name][0])
        if cmd_name in OPERATORS:
            return _operators(cmd_name)
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        for title, rows in (
            ("For everyone", [(name, says) for name, (_, says) in COMMANDS.items()]),
            ("For the operator", list(OPERATORS.items())),
        ):
            with formatter.section(title):
                formatter.write_dl(rows)


def _loaded(place: str) -> click.Command:
    module, _, name = place.partition(":")
    command = getattr(importlib.import_module(module), name)
    assert isinstance(command, click.Command)
    return command


def _operators(name: str) -> click.Command | None:
    from importlib.metadata import entry_points  # noqa: PLC0415  # half of what help would cost

    for entry in entry_points(group="fabriek.commands"):
        if entry.name == name:
            _check_server(name)
            command = entry.load()
            assert isinstance(command, click.Command)
            return command
    return None


def _check_server(name: str) -> None:
    """Raises Unavailable where only the client is installed, or could be."""
    if sys.platform != "linux":
        raise Unavailable(
            f"fabriek {name} belongs to the server, which runs on Linux only", fix="fabriek login --url URL"
        )
    needed = ("fastapi", "sqlalchemy", "alembic", "uvicorn", *(("sklearn", "mlflow") if name == "demo" else ()))
    if absent := [one for one in needed if find_spec(one) is None]:
        extra = "server,demo" if name == "demo" else "server"
        raise Unavailable(
            f"fabriek {name} belongs to the server, and {absent[0]} is not installed here",
            fix=f"pip install 'fabriek[{extra}]'",
        )


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="fabriek")
def fabriek() -> None:
    """Fabriek: an AI factory. Data, compute, experiments and knowledge under one set of rules.

    Begin with `fabriek up --quickstart`, or `fabriek login --url https://…`.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and leaves with an exit code of the table."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None and args and args[0] in COMMANDS:
        gc.set_threshold(*SELDOM)
    try:
        outcome = fabriek.main(args=args, prog_name="fabriek", standalone_mode=False)
    except FabriekError as error:
        from fabriek.cli.output import show_error  # noqa: PLC0415  # rich is imported only when there is something to show

        sys.exit(show_error(error, as_json="--json" in args))
    except click.exceptions.Abort:
        sys.exit(EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    finally:
        if arguments is None:
            # The process ends here: going once more through all that was imported, to find what nobody needs, cost a fifth of a short command.
            gc.freeze()
    sys.exit(outcome if isinstance(outcome, int) else 0)
