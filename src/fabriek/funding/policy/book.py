"""The policy in force: what an installation began with, and every change that was agreed on since."""

from collections.abc import Callable, Sequence

from fabriek.funding.policy.policy import Policy, Rows


class PolicyBook:
    """`now` is asked at every job: all is put together again only where `agreed` answers with something new. Their count would not do:
    of two that were agreed on at once one may roll back.
    """

    def __init__(self, start: Policy, agreed: Callable[[], Sequence[Policy]] = tuple) -> None:
        self._start, self._agreed = start, agreed
        self._whole: tuple[Sequence[Policy], Policy] = ((), start)

    def now(self) -> Policy:
        """All rows, those of days to come too."""
        agreed, (of, whole) = self._agreed(), self._whole
        if agreed is not of:
            whole = sum(agreed, self._start)
            self._whole = (agreed, whole)
        return whole

    @property
    def start(self) -> Policy:
        return self._start

    @property
    def rules(self) -> Rows:  # type: ignore[type-arg]
        return Rows(lambda: self.now().rules)

    @property
    def rates(self) -> Rows:  # type: ignore[type-arg]
        return Rows(lambda: self.now().rates)
