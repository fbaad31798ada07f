"""Models: those a run logged, and those registered under a name with versions and aliases. Words and limits are MLflow's."""

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fabriek.kernel.errors import InvalidInput

NAME_CHARACTERS_MAX = 256
TAG_KEY_CHARACTERS_MAX = 250
TAG_CHARACTERS_MAX = 100_000
TAGS_MAX = 1_000
ALIAS_CHARACTERS_MAX = 255
DESCRIPTION_CHARACTERS_MAX = 100_000
NUMBER_MAX = 2**31 - 1

PROMPT_TAG = "mlflow.prompt.is_prompt"
PROMPT_SOURCES = frozenset({"dummy-source", "prompt-template"})
"""What MLflow's client writes where a model version has its source: a prompt is a text in a tag, and has no files."""

LOGGED_STATUSES = ("LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED")

_KEY = re.compile(r"[/\w.\- :]*")
_ALIAS = re.compile(r"[\w\-]+")
_SEE = " See the API docs for more information about request parameters."


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A model that a run logged: where its files are, and how far it is (PENDING, READY, FAILED). `run` is empty for one that a
    person made outside of a run.
    """

    id: str
    project: str
    experiment: str
    run: str
    name: str
    model_type: str
    status: str
    label: str
    created_at: datetime
    changed_at: datetime
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    is_deleted: bool = False

    @property
    def root(self) -> str:
        """Where its files are kept: see `lab/artifacts.py`."""
        return f"{self.experiment}/models/{self.id}"


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A name in the registry of a project; `aliases`: alias → version."""

    project: str
    name: str
    created_at: datetime
    changed_at: datetime
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """`label` is its run's, and nothing lowers it. `sha256` is over the paths and contents of its files as it was registered.

    `place` is where its files are (`ROOT/artifacts` or a folder below); empty for a prompt. `person` is who registered it; empty for
    a job. A number is given once: one that was deleted is never anybody else's.
    """

    project: str
    name: str
    number: int
    run: str
    model_id: str
    source: str
    label: str
    sha256: str
    created_at: datetime
    changed_at: datetime
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    place: str = ""
    person: str = ""
    run_link: str = ""
    is_deleted: bool = False


def says_prompt(tags: Mapping[str, str]) -> bool:
    return tags.get(PROMPT_TAG, "false").lower() == "true"


def check_model_name(name: object, field_name: str = "name") -> str:
    """Raises InvalidInput, in the words that MLflow's own tests expect."""
    if name is None or name == "":
        raise InvalidInput(f"Missing value for required parameter '{field_name}'.{_SEE}")
    if not isinstance(name, str):
        raise InvalidInput(
            f"Invalid value {_shown(name)} for parameter '{field_name}' supplied:  "
            f"Hint: Value was of type '{type(name).__name__}'.{_SEE}"
        )
    if not name.strip():
        raise InvalidInput(f"Missing value for required parameter '{field_name}'.")
    check_length(field_name, name, NAME_CHARACTERS_MAX)
    if "/" in name or ":" in name:
        raise InvalidInput(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    if any(ord(char) < 32 for char in name):
        raise InvalidInput(
            f"Invalid value {_shown(name)} for parameter '{field_name}' supplied: it has control characters"
        )
    _check_plain(field_name, name)
    return name


def check_logged_name(name: str) -> str:
    bad = ("/", ":", ".", "%", '"', "'")
    check_length("name", name, NAME_CHARACTERS_MAX)
    if any(char in name for char in bad) or any(ord(char) < 32 for char in name):
        raise InvalidInput(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot contain the following "
            f"characters: {bad}"
        )
    return name


def check_alias(alias: object, *, new: bool = True) -> str:
    """`new`: one that is to be set, which may not be a word that means something else."""
    if not isinstance(alias, str) or not alias:
        raise InvalidInput("Registered model alias name cannot be empty.")
    check_length("Registered model alias name", alias, ALIAS_CHARACTERS_MAX)
    if not _ALIAS.fullmatch(alias):
        raise InvalidInput(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    if new and alias.lower() == "latest":
        raise InvalidInput("'latest' alias name (case insensitive) is reserved.")
    if new and re.fullmatch(r"[vV]\d+", alias):
        raise InvalidInput(f"Version alias name '{alias}' is reserved.")
    return alias


def check_number(number: object) -> int:
    """A version's number, as it comes over the wire. One beyond every version reads as one that is not there."""
    text = str(number) if isinstance(number, str | int) and not isinstance(number, bool) else ""
    if number is None or number == "":
        raise InvalidInput(f"Missing value for required parameter 'version'.{_SEE}")
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,40}\s*", text):
        raise InvalidInput(f"Parameter 'version' must be an integer, got '{str(number)[:100]}'.")
    return min(max(int(text), -1), NUMBER_MAX)


def check_tags(tags: Mapping[str, str]) -> dict[str, str]:
    if len(tags) > TAGS_MAX:
        raise InvalidInput(f"one thing has at most {TAGS_MAX} tags, and this has {len(tags)}")
    return {check_tag_key(key): check_tag_value(key, value) for key, value in tags.items()}


def check_tag_key(key: object) -> str:
    if not isinstance(key, str) or not key:
        raise InvalidInput(f"Missing value for required parameter 'key'.{_SEE}")
    check_length("key", key, TAG_KEY_CHARACTERS_MAX)
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            f"Invalid value {_shown(key)} for parameter 'key' supplied: Names may only contain alphanumerics, underscores (_), "
            "dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
        )
    _check_plain("key", key)
    return key


def check_tag_value(key: str, value: str) -> str:
    if key == "mlflow.prompt.text" and len(value) > TAG_CHARACTERS_MAX:
        raise InvalidInput(f"Prompt text exceeds max length of {TAG_CHARACTERS_MAX} characters.")
    return check_length("value", value, TAG_CHARACTERS_MAX)


def check_length(what: str, text: str, most: int) -> str:
    if len(text) > most:
        raise InvalidInput(f"'{what}' exceeds the maximum length of {most} characters")
    return text


def check_description(text: str) -> str:
    return check_length("description", text, DESCRIPTION_CHARACTERS_MAX)


def _check_plain(what: str, name: str) -> None:
    """A name that a file system would read as another one is refused: MLflow's file store keeps things under their names."""
    plain = posixpath.normpath(name)
    if plain != name or plain == "." or plain.startswith(("..", "/")):
        raise InvalidInput(
            f"Invalid value {_shown(name)} for parameter '{what}' supplied: Names may be treated as files in certain cases, and "
            f"must not resolve to other names when treated as such. This name would resolve to {plain!r}"
        )


def _shown(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)[:300]
