"""The policy in force: what an installation began with, and every change that was agreed on since."""

from collections.abc import Callable, Sequence

from fabriek.funding.policy.policy import Policy, Rows


class PolicyBook:
    """`now` is asked at every job: what was agreed on is read again only where something was added."""

    def __init__(self, start: Policy, agreed: Callable[[], Sequence[Policy]] = tuple) -> None:
        self._start, self._agreed = start, agreed
        self._whole, self._of = start, 0

    def now(self) -> Policy:
        """All rows, those of days to come too."""
        agreed = self._agreed()
        if len(agreed) != self._of:
            self._whole, self._of = sum(agreed, self._start), len(agreed)
        return self._whole

    @property
    def rules(self) -> Rows:  # type: ignore[type-arg]
        return Rows(lambda: self.now().rules)

    @property
    def rates(self) -> Rows:  # type: ignore[type-arg]
        return Rows(lambda: self.now().rates)
