"""`fabriek catalogue`: find, publish and ask for datasets and models."""

from pathlib import Path
from typing import Any

import click

from fabriek.cli.catalogue_harvest import harvest
from fabriek.cli.groups import Group
from fabriek.cli.output import json_option, print_json, project_option, say, show, table, warn
from fabriek.cli.progress import bar
from fabriek.cli.session import connect
from fabriek.kernel.errors import InvalidInput
from fabriek.sdk.base_models import Watching

KEEPS_NONE = "you keep no search; fabriek catalogue search WORDS --save NAME"
KINDS = ["dataset", "model", "recipe", "app", "guide", "answer", "service", "training", "elsewhere"]


@click.group(cls=Group)
def catalogue() -> None:
    """Find, publish and ask for datasets and models."""


catalogue.add_command(harvest)


@catalogue.command("search", context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1)
@click.option("--kind", type=click.Choice(KINDS), help="Only these.")
@click.option("--language", type=click.Choice(["nl", "en"]), help="Only what is written in it.")
@click.option("--label", default="", help="Only what has this label.")
@click.option("--organisation", default="", help="Only what is of it: its short name.")
@click.option("--keyword", default="", help="Only what has this among its keywords.")
@click.option(
    "--by", type=click.Choice(["both", "words", "meaning"]), default="both", show_default=True, help="How it is found."
)
@click.option("--save", "name", default="", help="Keep this search under this name.")
@json_option
def search(
    words: tuple[str, ...],
    kind: str | None,
    language: str | None,
    label: str,
    organisation: str,
    keyword: str,
    by: str,
    name: str,
    *,
    as_json: bool,
) -> None:
    """What holds all WORDS, some where nothing does, everything without any. "A phrase" among others stands as it is; -word must not occur."""
    # Who quotes all that they look for means its words.
    asked = words[0] if len(words) == 1 else " ".join(f'"{word}"' if " " in word else word for word in words)
    filters: dict[str, Any] = {
        "kind": kind or "",
        "language": language or "",
        "label": label,
        "organisation": organisation,
        "keyword": keyword,
    }
    if name:
        connect().catalogue.save(name, asked, **filters)
    found = connect().catalogue.search(asked, by=by, **filters)
    if as_json:
        print_json(found)
        return
    for word, others in found.meant.items():
        say(f"nothing has {word}; also looked for: {', '.join(others)}")
    near = [one for one in found.items if one.near]
    if found.loose:
        say(f"nothing has all of these words; what follows {'is near in meaning, or ' if near else ''}has some of them")
    elif near and len(near) == len(found.items):
        say("nothing has this; what follows is near in meaning")
    table(
        found.items,
        ["id", "kind", "title", "label", "summary"],
        as_json=False,
        empty="nothing found; ask the expertise centre: fabriek ask",
    )
    if not found.loose and 0 < len(near) < len(found.items):
        say(f"{len(near)} of these have not the words and are near in meaning; --by words leaves them out")
    if found.more or found.total > len(found.items):
        say(f"{found.total}{' and more' if found.more else ''} in all; a filter such as --kind narrows them")


@catalogue.command("saved")
@click.argument("name", default="")
@json_option
def saved(name: str, *, as_json: bool) -> None:
    """The searches that you keep, and how much is new in each; with NAME, what it finds now."""
    if not name:
        table(
            connect().catalogue.saved(),
            ["name", "text", "found", "new"],
            as_json=as_json,
            empty="you keep no search; fabriek catalogue search WORDS --save NAME",
        )
        return
    looked = connect().catalogue.look(name)
    if as_json:
        print_json(looked)
    else:
        table(looked.items, ["id", "kind", "title", "label", "summary"], as_json=False, empty="it finds nothing now")


@catalogue.command("forget")
@click.argument("name")
def forget(name: str) -> None:
    """Keep a search no more."""
    connect().catalogue.forget(name)
    say(f"{name} is kept no more")


@catalogue.command("show")
@click.argument("card")
@json_option
def show_card(card: str, *, as_json: bool) -> None:
    """One card: what it is, its label, its terms."""
    show(connect().catalogue.entry(card), as_json=as_json)


@catalogue.command("history")
@click.argument("card")
@json_option
def history(card: str, *, as_json: bool) -> None:
    """How it is used, its versions, what it was made from and what came of it, and who used it with what."""
    past = connect().catalogue.history(card)
    if as_json:
        print_json(past)
        return
    if past.use.command:
        say(past.use.command)
    for one in past.versions:
        say(f"version {one.number} of {one.at:%Y-%m-%d}")
    for said, some in (("made from", past.made_from), ("led to", past.led_to)):
        for entry in some:
            say(f"{said} {entry.title} ({entry.id})")
    if past.used:
        say(f"used by {past.projects} projects" if past.projects else "used by fewer than three projects")
    table(past.uses, ["job", "name", "project", "person", "beside", "left"], as_json=False, empty="")


@catalogue.command("publish")
@click.argument("kind", type=click.Choice(["dataset", "model", "app", "guide", "training"]))
@click.argument("subject", metavar="NAME")
@click.option(
    "--card",
    "card_file",
    type=click.Path(path_type=Path),
    help="A Markdown file with a head: title, summary, licence, keywords, doi, …",
)
@click.option("--title", default="")
@click.option("--summary", default="", help="One or two sentences.")
@click.option("--licence", default="")
@click.option("--terms", default="", help="On what terms others may ask for it.")
@click.option("--keyword", "keywords", multiple=True, help="Repeatable.")
@click.option("--doi", default="", help="Where it is published for good: 10.5281/zenodo.1234567.")
@click.option("--author", "authors", multiple=True, help="As it is cited: 'Family, Given', or a body. Repeatable.")
@click.option("--language", type=click.Choice(["nl", "en"]))
@click.option(
    "--reach",
    type=click.Choice(["world", "everyone", "organisation", "project"]),
    default="everyone",
    show_default=True,
    help="Who may know of it; the world: other catalogues too.",
)
@click.option("--text", "text_file", type=click.Path(path_type=Path), help="The long description, a Markdown file.")
@project_option
@json_option
def publish(
    kind: str, subject: str, title: str, summary: str, licence: str, terms: str, keywords: tuple[str, ...], language: str | None,
    reach: str, text_file: Path | None, card_file: Path | None, doi: str, authors: tuple[str, ...], project: str, *, as_json: bool,
) -> None:  # fmt: skip
    """Publish the card of a dataset or model: it can be found then, and read no more than before. An app, a guide or a training is its card.

    A card is a Markdown file whose head says what is known of it; what is said by options wins.
    """
    made = connect(project).catalogue.publish(
        kind,
        subject,
        title=title,
        summary=summary,
        licence=licence,
        terms=terms,
        keywords=keywords,
        language=language or "",
        reach=reach,
        text=_text(text_file, "--text"),
        card=_text(card_file, "--card"),
        doi=doi,
        authors=authors,
    )
    if as_json:
        print_json(made)
    else:
        say(f"published as {made.id}")


@catalogue.command("request")
@click.argument("card")
@click.option("--reason", required=True, help="What you would do with it.")
@project_option
@json_option
def request(card: str, reason: str, project: str, *, as_json: bool) -> None:
    """Ask the people who hold a dataset for access."""
    made = connect().catalogue.request(card, reason, project=project)
    if as_json:
        print_json({"request": made})
    else:
        say(f"asked; the request is {made}")


@catalogue.command("cite")
@click.argument("card")
def cite(card: str) -> None:
    """How it is cited: a CITATION.cff."""
    say(connect().catalogue.citation(card).rstrip())


@catalogue.command("croissant")
@click.argument("card")
def croissant(card: str) -> None:
    """A dataset as Croissant 1.1. Put beside its files, other programs load it: fabriek data pull NAME DIR."""
    print_json(connect().catalogue.croissant(card))


@catalogue.command("import")
@click.argument("place", metavar="FILE.json|FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option("--name", default="", help="What it is called here; by default as its document or folder is.")
@click.option("--label", default="", help="How sensitive it is; default: internal, or what is there has.")
@click.option(
    "--reach",
    type=click.Choice(["world", "everyone", "organisation", "project"]),
    default="project",
    show_default=True,
    help="Who may know of it.",
)
@click.option(
    "--allow-code", is_flag=True, help="Of a model, take pickles and programs too. They run when they are loaded."
)
@project_option
@json_option
def bring_in(place: Path, name: str, label: str, reach: str, project: str, *, allow_code: bool, as_json: bool) -> None:
    """Bring in a dataset or model as another house hands it over, with its card.

    FILE.json is a document in Croissant, 1.0 or 1.1, with its files beside it; FOLDER one of the Hugging Face Hub, with its README.md. Only files
    below that folder are read, and nothing is fetched. The same once more changes nothing.
    """
    from fabriek.sdk.importing.importing import bring_in as brought  # noqa: PLC0415  # what help should not pay for

    factory = connect(project)
    with bar("bringing in") as drawn:
        done = brought(
            factory, place, name=name, label=label, reach=reach, project=project, allow_code=allow_code,
            watching=Watching(drawn.expect, drawn.advance), tell=warn,
        )  # fmt: skip
    if as_json:
        left = list(done.handed.left_out)
        print_json({"kind": done.handed.kind, "name": done.name, "version": done.version, "unchanged": done.unchanged,
                    "entry": done.entry, "left_out": left})  # fmt: skip
        return
    say(
        f"{done.handed.kind} {done.name}@{done.version[:12]}{'  as it was' if done.unchanged else ''}; in the catalogue as {done.entry.id}"
    )
    if done.handed.left_out:
        say(f"not taken over: {', '.join(done.handed.left_out)}")


@catalogue.command("withdraw")
@click.argument("card")
def withdraw(card: str) -> None:
    """Take an entry back: it is found no more, and what it describes stays as it is."""
    connect().catalogue.withdraw(card)
    say(f"{card} is in the catalogue no more")


def _text(file: Path | None, option: str) -> str:
    if file is None:
        return ""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read ({error})", fix=f"check {option}") from None
