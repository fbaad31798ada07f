"""The policy for the client: what is in force, and changing it together."""

from collections.abc import Sequence

from fabriek.schemas.base import PageOut
from fabriek.schemas.policy import PolicyOut, PolicyProposalOut
from fabriek.sdk.client import Client

PATH = "/api/v1/funding/policy"


class FundingPolicy:
    """Show, propose, sign, refuse, withdraw."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def show(self, on: str = "") -> PolicyOut:
        """The rows in force on a day such as 2027-01-01; today's without one."""
        return PolicyOut.model_validate(self._client.get(PATH, params={"on": on} if on else {}))

    def propose(self, toml: str, motive: str) -> PolicyProposalOut:
        return self._posted("proposals", {"toml": toml, "motive": motive})

    def proposals(self) -> Sequence[PolicyProposalOut]:
        return PageOut[PolicyProposalOut].model_validate(self._client.get(f"{PATH}/proposals")).items

    def proposal(self, proposal_id: str) -> PolicyProposalOut:
        return PolicyProposalOut.model_validate(self._client.get(f"{PATH}/proposals/{proposal_id}"))

    def sign(self, proposal_id: str, digest: str) -> PolicyProposalOut:
        """digest: that of the proposal that was looked at. Raises Stale where it is another."""
        return self._posted(f"proposals/{proposal_id}/sign", {"digest": digest})

    def refuse(self, proposal_id: str, words: str) -> PolicyProposalOut:
        return self._posted(f"proposals/{proposal_id}/refuse", {"words": words})

    def withdraw(self, proposal_id: str, words: str = "") -> PolicyProposalOut:
        return self._posted(f"proposals/{proposal_id}/withdraw", {"words": words})

    def _posted(self, path: str, body: dict[str, str]) -> PolicyProposalOut:
        return PolicyProposalOut.model_validate(self._client.post(f"{PATH}/{path}", json=body))
