"""Terms, requests on their way, open grants, and what two people decide together, for the client."""

from collections.abc import Mapping, Sequence
from datetime import date

from fabriek.kernel.invalid import checked
from fabriek.schemas.agreements import (
    AcceptanceOut,
    AcceptIn,
    ApproveIn,
    LabelsOut,
    LoweringIn,
    MoveIn,
    OpenGrantOut,
    ProposalOut,
    ReasonIn,
    TermsIn,
    TermsOut,
)
from fabriek.schemas.vault import AccessRequestOut, AgreementOut
from fabriek.sdk.client import Client
from fabriek.sdk.places import place_of


class Agreements:
    """Under which terms data is used, and who says so."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def labels(self) -> LabelsOut:
        """The labels of this installation, lowest first, and old words that it understands."""
        return LabelsOut.model_validate(self._client.get("/api/v1/labels"))

    def terms(self, reference: str, *, number: int = 0, project: str = "") -> TermsOut:
        """The newest terms of a dataset, or those with a number. Raises NotFound where it has none."""
        path = f"{place_of(self._client, reference, project).path}/terms"
        return TermsOut.model_validate(self._client.get(path, params={"number": number}))

    def set_terms(
        self,
        reference: str,
        text: str,
        *,
        questions: Sequence[str] | None = None,
        committee: Sequence[str] | None = None,
        project: str = "",
    ) -> TermsOut:
        """Terms for agreements from now on; those that were signed keep theirs. Without questions or committee, those of before stay."""
        asked = None if questions is None else list(questions)
        deciding = None if committee is None else list(committee)
        with checked("terms are Markdown: --file terms.md; a question is one line: --question"):
            wanted = TermsIn(text=text, questions=asked, committee=deciding)
        path = f"{place_of(self._client, reference, project).path}/terms"
        return TermsOut.model_validate(self._client.post(path, json=wanted.model_dump()))

    def unaccepted(self, reference: str, *, project: str = "") -> Sequence[TermsOut]:
        """Terms of agreements of one's projects that one has not accepted."""
        found = self._client.get(f"{self._known(reference, project)}/terms/unaccepted")
        return [TermsOut.model_validate(one) for one in found]

    def accept(self, terms: TermsOut) -> AcceptanceOut:
        """For oneself. Raises WrongState when the words are others than those that were read."""
        wanted = AcceptIn(sha256=terms.sha256, number=terms.number)
        path = f"/api/v1/datasets/{terms.dataset}/terms/accept"
        return AcceptanceOut.model_validate(self._client.post(path, json=wanted.model_dump()))

    def acceptances(self, reference: str, *, project: str = "") -> Sequence[AcceptanceOut]:
        """Who accepted which terms. For the owner."""
        found = self._client.get(f"{place_of(self._client, reference, project).path}/acceptances")
        return [AcceptanceOut.model_validate(one) for one in found]

    def own_requests(self) -> Sequence[AccessRequestOut]:
        return [AccessRequestOut.model_validate(one) for one in self._client.get("/api/v1/access-requests")]

    def show_request(self, request: str) -> AccessRequestOut:
        return AccessRequestOut.model_validate(self._client.get(f"/api/v1/access-requests/{request}"))

    def move(
        self, request: str, state: str, *, words: str = "", answers: Mapping[str, str] | None = None
    ) -> AccessRequestOut:
        """`sent` or `closed` as the asker; `review`, `returned`, `rejected` or `closed` as who decides."""
        with checked("say it in fewer words, or in a file that the request names"):
            wanted = MoveIn(state=state, words=words, answers=dict(answers or {}))
        path = f"/api/v1/access-requests/{request}/move"
        return AccessRequestOut.model_validate(self._client.post(path, json=wanted.model_dump()))

    def approve(self, request: str, *, until: date, places: Sequence[str] = (), words: str = "") -> AgreementOut:
        """An agreement with the asker's project, to the end of the day `until`."""
        with checked("a place is NL, or NL/OWNER: --place"):
            wanted = ApproveIn(until=until, places=list(places), words=words)
        return AgreementOut.model_validate(
            self._client.post(f"/api/v1/access-requests/{request}/approve", json=wanted.model_dump(mode="json"))
        )

    def grants(self, reference: str, *, project: str = "") -> Sequence[OpenGrantOut]:
        """What is open now; for the owner all of it."""
        found = self._client.get(f"{place_of(self._client, reference, project).path}/grants")
        return [OpenGrantOut.model_validate(one) for one in found]

    def revoke(self, grant: str) -> None:
        """Ends what somebody has open. Idempotent."""
        self._client.post(f"/api/v1/grants/{grant}/revoke")

    def lower(self, reference: str, label: str, reason: str, *, project: str = "") -> ProposalOut:
        """Proposes a lower label; a second person signs."""
        with checked("say why: --reason"):
            wanted = LoweringIn(label=label, reason=reason)
        path = f"{place_of(self._client, reference, project).path}/lowerings"
        return ProposalOut.model_validate(self._client.post(path, json=wanted.model_dump()))

    def lowerings(self, reference: str, *, project: str = "") -> Sequence[ProposalOut]:
        found = self._client.get(f"{place_of(self._client, reference, project).path}/lowerings")
        return [ProposalOut.model_validate(one) for one in found]

    def release(self, job: str, reason: str, *, project: str = "") -> ProposalOut:
        """Asks for what a job emitted to be released; two people sign, never the job's author."""
        path = f"/api/v1/projects/{self._client.the_project(project)}/jobs/{job}/releases"
        return ProposalOut.model_validate(self._client.post(path, json=_because(reason)))

    def releases(self, job: str, *, project: str = "") -> Sequence[ProposalOut]:
        found = self._client.get(f"/api/v1/projects/{self._client.the_project(project)}/jobs/{job}/releases")
        return [ProposalOut.model_validate(one) for one in found]

    def sign(self, proposal: str) -> ProposalOut:
        """Agrees to a lowering or a release."""
        return ProposalOut.model_validate(self._client.post(f"{_path(proposal)}/sign"))

    def refuse(self, proposal: str, reason: str) -> ProposalOut:
        """Refuses one, or takes one's own back."""
        return ProposalOut.model_validate(self._client.post(f"{_path(proposal)}/refuse", json=_because(reason)))

    def _known(self, reference: str, project: str) -> str:
        """A dataset outside any project's route: a bare name is one of the project acted in."""
        path = place_of(self._client, reference, project).path
        if "/projects/" not in path:
            return path
        return f"/api/v1/datasets/{self._client.get(path)['id']}"


def _path(proposal: str) -> str:
    return f"/api/v1/{'releases' if proposal.startswith('rel_') else 'lowerings'}/{proposal}"


def _because(reason: str) -> dict[str, str]:
    with checked("say why: --reason"):
        return ReasonIn(reason=reason).model_dump()
