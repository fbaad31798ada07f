"""The policy in force: what an installation began with, and every change that was agreed on since."""

from collections.abc import Callable, Sequence

from fabriek.funding.policy.policy import Policy, Rows


class PolicyBook:
    """agreed: the changes, in their order; the same object until there are others. renew: makes it look anew."""

    def __init__(
        self, start: Policy, agreed: Callable[[], Sequence[Policy]] = tuple, renew: Callable[[], None] = lambda: None
    ) -> None:
        self.start, self.renew, self._agreed = start, renew, agreed
        self._whole: tuple[Sequence[Policy], Policy] = ((), start)

    def now(self) -> Policy:
        """All rows, those of days to come too. Asked several times at every job."""
        agreed, (of, whole) = self._agreed(), self._whole
        # Their count would not do: of two that were agreed on at once one may roll back.
        if agreed is not of:
            whole = sum(agreed, self.start)
            self._whole = (agreed, whole)
        return whole

    def latest(self) -> Policy:
        """The same, with what was agreed on a moment ago by another server: for who changes it."""
        self.renew()
        return self.now()

    @property
    def rules(self) -> Rows:  # type: ignore[type-arg]
        return Rows(lambda: self.now().rules)

    @property
    def rates(self) -> Rows:  # type: ignore[type-arg]
        return Rows(lambda: self.now().rates)
