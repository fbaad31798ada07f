"""States in plain words: what it means, and what is next."""

from fabriek.access.applying.applications import ApplicationState as S

MEANS: dict[S, tuple[str, str]] = {
    S.DRAFT: ("a draft", "the applicant submits it"),
    S.SUBMITTED: ("submitted", "it is looked at whether it may be applied for"),
    S.ELIGIBLE: ("may be applied for", "the technical check; on a short route an award, as soon as a share has room"),
    S.TECHNICAL: ("fits the machine", "experts are asked; on a short route an award, as soon as a share has room"),
    S.EXPERTS: ("with the experts", "the experts assess it, each for themselves"),
    S.COMMITTEE: ("before the committee", "the committee decides"),
    S.ASKED: ("waits for the applicant", "the applicant answers; the clock stands still until then"),
    S.AWARDED: ("awarded", "work can begin"),
    S.REFUSED: ("refused", "who disagrees may object until the day that is named"),
    S.WITHDRAWN: ("withdrawn", "nothing"),
}
