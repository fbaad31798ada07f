"""What all wire types share."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

T = TypeVar("T")

EXPECTED: dict[str, str] = {}
"""Pattern → what it asks for, in words that follow `must be`."""


def written(pattern: str, words: str, **limits: Any) -> StringConstraints:
    """Text of a pattern, with the words that tell a person what is expected. limits: as of StringConstraints."""
    EXPECTED[pattern] = words
    return StringConstraints(pattern=pattern, **limits)


class Wire(BaseModel):
    """A message. An unknown field is an error: a misspelt limit must not be silently none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PageOut(Wire, Generic[T]):
    """One page of a list; ask again with `cursor=next_cursor` until it is empty."""

    items: list[T]
    next_cursor: str = ""


class DoneOut(Wire):
    """The act is done and there is nothing more to say."""

    done: bool = True


NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
NAME_WORDS = "letters, digits and _, no digit first, 64 at most"
"""What a shell takes as the name of a variable."""

Slug = Annotated[str, written(r"^[a-z0-9][a-z0-9-]{0,62}$", "lower-case letters, digits and hyphens, 63 at most")]
"""A name in addresses: lower-case letters, digits and hyphens, at most 63."""

Title = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Text = Annotated[str, Field(max_length=20_000)]


class FieldError(Wire):
    """One field of a request that is not right."""

    field: str
    message: str


class ProblemOut(BaseModel):
    """RFC 9457, with `code` to compare, `fix` to follow, and fields of the code such as `left` or `rule`."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    fix: str = ""
    errors: list[FieldError] = []
    request_id: str = ""
