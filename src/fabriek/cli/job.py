"""`fabriek job`: look at jobs, follow, cancel, fetch results."""

from pathlib import Path

import click

from fabriek.cli.groups import Group
from fabriek.cli.output import counted, json_option, print_json, project_option, say, show, table
from fabriek.cli.screen import taker
from fabriek.cli.session import connect
from fabriek.schemas.codes import EXIT_JOB_FAILED


@click.group(cls=Group)
def job() -> None:
    """Look at jobs, follow, cancel, fetch results."""


@job.command("ls")
@click.option("--array", default="", metavar="ARRAY", help="Only the elements of this array.")
@project_option
@json_option
def ls(array: str, project: str, *, as_json: bool) -> None:
    """The project's jobs, newest first."""
    listed = connect(project).jobs.list(array=array).items
    table(
        listed,
        ["number", "name", "state", "submitted_at", "used"],
        as_json=as_json,
        empty="no jobs yet: fabriek run -- python train.py",
    )


@job.command("show")
@click.argument("name", metavar="JOB")
@project_option
@json_option
def show_job(name: str, project: str, *, as_json: bool) -> None:
    """One job, with what it asked, what it used and where its results are."""
    show(connect(project).jobs.show(name), as_json=as_json)


@job.command("receipt")
@click.argument("name", metavar="JOB")
@project_option
@json_option
def receipt(name: str, project: str, *, as_json: bool) -> None:
    """What was held for JOB, charged and given back, which share paid, and what energy it took."""
    found = connect(project).jobs.receipt(name)
    if as_json:
        print_json(found)
        return
    show(found.model_copy(update={"lines": []}), as_json=False)
    if found.lines:
        table(found.lines, ["at", "what", "amount", "transaction", "reason"], as_json=False)


@job.command("why")
@click.argument("name", metavar="JOB")
@project_option
@json_option
def why(name: str, project: str, *, as_json: bool) -> None:
    """One sentence: why the job is where it is."""
    told = connect(project).jobs.why(name)
    if as_json:
        print_json(told)
    else:
        say(told.why)


@job.command("follow")
@click.argument("name", metavar="JOB")
@project_option
def follow_job(name: str, project: str) -> int:
    """Stream the output until the job ends; leaves with 9 when it failed."""
    from fabriek.cli.following import follow  # noqa: PLC0415  # only a followed job needs it

    return 0 if follow(connect(project), name).state == "succeeded" else EXIT_JOB_FAILED


@job.command("log")
@click.argument("name", metavar="JOB")
@click.option("--follow", "-f", is_flag=True, help="Go on until the job ends.")
@project_option
def log(name: str, project: str, *, follow: bool) -> None:
    """What the job has written so far."""
    out = taker()
    for part in connect(project).jobs.log(name, follow=follow):
        out.write(part)
        if follow:  # whoever looks on, or reads through a pipe, has each line as it comes
            out.flush()
    out.flush()


@job.command("cancel")
@click.argument("name", metavar="JOB")
@project_option
@json_option
def cancel(name: str, project: str, *, as_json: bool) -> None:
    """Stop a job, or by its id a whole array; what it used until then is settled."""
    factory = connect(project)
    if name.startswith("arr_"):
        all_of_it = factory.jobs.cancel_array(name).items
        if as_json:
            print_json(all_of_it)
        else:
            say(f"{name} {counted(len(all_of_it), 'job')}")
        return
    stopped = factory.jobs.cancel(name)
    if as_json:
        print_json(stopped)
    else:
        say(f"{stopped.id} {stopped.state}")


@job.command("pull")
@click.argument("name", metavar="JOB")
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@project_option
def pull(name: str, folder: Path, project: str) -> None:
    """Fetch what the job left in /output."""
    say(f"fetched into {connect(project).jobs.pull(name, folder)}")


@job.command("pack")
@click.argument("name", metavar="JOB")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--list-only", is_flag=True, help="List the data, and take none of it along.")
@project_option
@json_option
def pack_job(name: str, folder: Path, project: str, *, list_only: bool, as_json: bool) -> int:
    """Pack what JOB reads and runs into DIR, for a machine that we do not run. See `fabriek pack`."""
    from fabriek.cli.pack import tell  # noqa: PLC0415  # few pack

    packed = connect(project).packs.pack_job(name, folder, with_data=False if list_only else None)
    return tell(packed, folder, as_json=as_json)


@job.command("shell")
@click.argument("name", metavar="JOB")
@project_option
def shell(name: str, project: str) -> int:
    """A shell inside a job of yours that runs, within its walls."""
    from fabriek.cli.shell import enter  # noqa: PLC0415  # only who enters pays for it

    return enter(connect(project).jobs.door(name))


job.add_command(log, "logs")
job.add_command(follow_job, "attach")


@job.command("release")
@click.argument("name", metavar="JOB")
@click.option("--reason", help="Why; without it, the releases of the job that there are.")
@project_option
@json_option
def release(name: str, reason: str | None, project: str, *, as_json: bool) -> None:
    """Ask for what a job emitted to be released, where its label withholds that. Two people sign: `fabriek data sign`."""
    agreements = connect(project).agreements
    if reason is not None:
        show(agreements.release(name, reason, project=project), as_json=as_json)
        return
    found = agreements.releases(name, project=project)
    table(found, ["id", "outcome", "proposed_by_name", "signed_by_names", "reason"], as_json=as_json)
