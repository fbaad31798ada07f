"""Personal tokens, and what one has open, for the client."""

from collections.abc import Sequence

from fabriek.schemas.base import PageOut
from fabriek.schemas.tokens import EndedOut, NewTokenOut, OpenDoorOut, ScopeOut, TokenOut
from fabriek.sdk.client import Client


class Tokens:
    """What programs come with, and everything else that is open."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def scopes(self) -> Sequence[ScopeOut]:
        """What a token can be narrowed to."""
        return PageOut[ScopeOut].model_validate(self._client.get("/api/v1/scopes")).items

    def create(self, name: str, scopes: Sequence[str] = (), *, project: str = "", days: int = 0) -> NewTokenOut:
        """A token of one's own, with its secret, which is shown once. scopes: empty is all that one may do; project: empty is everywhere."""
        body = {"name": name, "scopes": list(scopes), "project": project, "days": days}
        return NewTokenOut.model_validate(self._client.post("/api/v1/tokens", json=body))

    def list(self) -> Sequence[TokenOut]:
        """One's own, newest first."""
        return PageOut[TokenOut].model_validate(self._client.get("/api/v1/tokens")).items

    def revoke(self, name: str) -> TokenOut:
        """By name or id."""
        return TokenOut.model_validate(self._client.delete(f"/api/v1/tokens/{name}"))

    def doors(self, person: str = "") -> Sequence[OpenDoorOut]:
        """Everything that one has open; somebody's, for whoever oversees."""
        return PageOut[OpenDoorOut].model_validate(self._client.get(f"{_doors(person)}")).items

    def end(self, door: str, person: str = "") -> None:
        """Ends one, with whatever was opened through it."""
        self._client.delete(f"{_doors(person)}/{door}")

    def end_others(self) -> int:
        """Ends all of one's own but the token that this client has. How many."""
        return EndedOut.model_validate(self._client.post("/api/v1/doors/end-others")).ended

    def end_all_of(self, person: str) -> int:
        """Ends all that somebody has open, for whoever oversees. How many."""
        return EndedOut.model_validate(self._client.post(f"{_doors(person)}/end-all")).ended


def _doors(person: str) -> str:
    return f"/api/v1/people/{person}/doors" if person else "/api/v1/doors"
