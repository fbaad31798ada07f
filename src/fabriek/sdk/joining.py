"""Invitations, roles held everywhere, and leavers, for the client."""

from collections.abc import Mapping, Sequence

from fabriek.schemas.access import MemberOut, PersonOut, ProjectOut, SignedInOut
from fabriek.schemas.base import PageOut
from fabriek.schemas.joining import HolderOut, InvitationOut, InvitationToMeOut, LeavingOut, ReviewOut, SentOut
from fabriek.schemas.proofs import ProofKindOut, ProofOut
from fabriek.schemas.steering import ChangeOut
from fabriek.sdk.client import Client


class Joining:
    """Who comes in, who may give what, and who goes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def invite_to_project(
        self, email: str, role: str = "member", *, organisation: str = "", name: str = "", project: str = ""
    ) -> SentOut:
        path = f"/api/v1/projects/{self._client.the_project(project)}/invitations"
        body = {"email": email, "role": role, "organisation": organisation or None, "name": name}
        return SentOut.model_validate(self._client.post(path, json=body))

    def invite_to_organisation(
        self, organisation: str, email: str, name: str = "", roles: Sequence[str] = ()
    ) -> SentOut:
        body = {"email": email, "name": name, "roles": list(roles)}
        return SentOut.model_validate(self._client.post(f"/api/v1/organisations/{organisation}/invitations", json=body))

    def invitations(self, organisation: str = "", *, project: str = "") -> Sequence[InvitationOut]:
        """Of an organisation's people to be, or into a project."""
        place = f"organisations/{organisation}" if organisation else f"projects/{self._client.the_project(project)}"
        return PageOut[InvitationOut].model_validate(self._client.get(f"/api/v1/{place}/invitations")).items

    def my_invitations(self) -> Sequence[InvitationToMeOut]:
        """When one was sent to your address; its link is there."""
        return PageOut[InvitationToMeOut].model_validate(self._client.get("/api/v1/invitations")).items

    def join(self, link: str, name: str = "") -> SignedInOut:
        """For who is not here yet: the link of an invitation, or its code, against a token."""
        body = {"code": _code_of(link), "name": name}
        return SignedInOut.model_validate(self._client.post("/api/v1/invitations/join", json=body))

    def accept(self, link: str) -> ProjectOut:
        """For who is here: the link that went to their address, or its code."""
        body = {"invitation": _code_of(link)}
        return ProjectOut.model_validate(self._client.post("/api/v1/invitations/accept", json=body))

    def withdraw(self, invitation: str) -> InvitationOut:
        return InvitationOut.model_validate(self._client.post(f"/api/v1/invitations/{invitation}/withdraw"))

    def vouch(self, invitation: str) -> InvitationOut:
        return InvitationOut.model_validate(self._client.post(f"/api/v1/invitations/{invitation}/vouch"))

    def roles(self) -> Sequence[HolderOut]:
        return PageOut[HolderOut].model_validate(self._client.get("/api/v1/roles")).items

    def appoint(self, person: str, role: str) -> HolderOut:
        body = {"person": person, "role": role}
        return HolderOut.model_validate(self._client.post("/api/v1/roles/appoint", json=body))

    def take(self, person: str, role: str) -> HolderOut:
        body = {"person": person, "role": role}
        return HolderOut.model_validate(self._client.post("/api/v1/roles/take", json=body))

    def leave(self, person: str, why: str, successor: str = "") -> LeavingOut:
        """Ends all that a person has open, everywhere."""
        body = {"why": why, "successor": successor}
        return LeavingOut.model_validate(self._client.post(f"/api/v1/people/{person}/leave", json=body))

    def come_back(self, person: str) -> PersonOut:
        return PersonOut.model_validate(self._client.post(f"/api/v1/people/{person}/return"))

    def without_lead(self) -> Sequence[ProjectOut]:
        return PageOut[ProjectOut].model_validate(self._client.get("/api/v1/projects-without-lead")).items

    def appoint_lead(self, project: str, person: str) -> MemberOut:
        path = f"/api/v1/projects-without-lead/{project}/lead"
        return MemberOut.model_validate(self._client.post(path, json={"person": person}))

    def review(self, *, project: str = "") -> ReviewOut:
        """The newest review of who has access to a project."""
        path = f"/api/v1/projects/{self._client.the_project(project)}/review"
        return ReviewOut.model_validate(self._client.get(path))

    def decide(self, keep: Sequence[str] = (), remove: Sequence[str] = (), *, project: str = "") -> ReviewOut:
        """Keeps and removes people, by their ids."""
        path = f"/api/v1/projects/{self._client.the_project(project)}/review"
        body = {"keep": list(keep), "remove": list(remove)}
        return ReviewOut.model_validate(self._client.post(path, json=body))

    def role_review(self) -> ReviewOut:
        return ReviewOut.model_validate(self._client.get("/api/v1/roles/review"))

    def decide_role(self, person: str, role: str, *, keep: bool) -> ReviewOut:
        body = {"person": person, "role": role, "keep": keep}
        return ReviewOut.model_validate(self._client.post("/api/v1/roles/review", json=body))

    def proof_kinds(self) -> Sequence[ProofKindOut]:
        return PageOut[ProofKindOut].model_validate(self._client.get("/api/v1/proofs/kinds")).items

    def prove(self, organisation: str, kind: str, fields: Mapping[str, str]) -> ProofOut:
        """Shows that an organisation is one; replaces what was shown before."""
        body = {"kind": kind, "fields": dict(fields)}
        return ProofOut.model_validate(self._client.post(f"/api/v1/organisations/{organisation}/proof", json=body))

    def proof(self, organisation: str) -> ProofOut:
        return ProofOut.model_validate(self._client.get(f"/api/v1/organisations/{organisation}/proof"))

    def due_proofs(self) -> Sequence[ProofOut]:
        return PageOut[ProofOut].model_validate(self._client.get("/api/v1/proofs/due")).items

    def set_project(self, title: str = "", data_contact: str = "", *, project: str = "") -> ProjectOut:
        body = {"title": title, "data_contact": data_contact}
        path = f"/api/v1/projects/{self._client.the_project(project)}"
        return ProjectOut.model_validate(self._client.patch(path, json=body))

    def propose(self, what: str, value: str, why: str, *, project: str = "") -> ChangeOut:
        """Another `purpose` or `ceiling`, which waits for a second person."""
        path = f"/api/v1/projects/{self._client.the_project(project)}/proposals"
        return ChangeOut.model_validate(self._client.post(path, json={"what": what, "value": value, "why": why}))

    def proposals(self) -> Sequence[ChangeOut]:
        return PageOut[ChangeOut].model_validate(self._client.get("/api/v1/project-proposals")).items

    def sign(self, proposal: str, *, agree: bool = True) -> ChangeOut:
        body = {"proposal": proposal, "agree": agree}
        return ChangeOut.model_validate(self._client.post("/api/v1/project-proposals/decide", json=body))


def _code_of(link: str) -> str:
    return link.rstrip("/").rpartition("/")[2]
