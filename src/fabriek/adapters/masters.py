"""Master keys of several kinds side by side: one wraps, all open, so that an installation can move from a file to a token."""

from collections.abc import Sequence

from fabriek.kernel.errors import Damaged
from fabriek.kernel.signing import MasterKeys, wrapped_under


class Masters:
    """`chosen` wraps. What another kind wrapped opens there; a rotation brings it under the chosen one."""

    def __init__(self, chosen: MasterKeys, *others: MasterKeys, kinds: Sequence[str]) -> None:
        """kinds: the first word of each holder's names, the chosen one's first."""
        self._chosen, self._others = chosen, others
        self._by_kind = dict(zip(kinds, (chosen, *others), strict=True))

    def wrap(self, key: bytes, context: bytes) -> bytes:
        return self._chosen.wrap(key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        return self._holder(wrapped_under(wrapped)).unwrap(wrapped, context)

    def current(self) -> str:
        return self._chosen.current()

    def names(self) -> Sequence[str]:
        return [name for holder in (*self._others, self._chosen) for name in holder.names()]

    def renew(self) -> str:
        return self._chosen.renew()

    def destroy(self, name: str) -> None:
        """The last key of a kind that is not chosen any more stays in its place: a file without one would not be a keyring."""
        holder = self._holder(name)
        if holder is self._chosen or name != holder.current():
            holder.destroy(name)
        else:
            holder.renew()
            holder.destroy(name)

    def _holder(self, name: str) -> MasterKeys:
        holder = self._by_kind.get(name.partition("/")[0])
        if holder is None:
            raise Damaged(
                f"a key is wrapped under {name}, which these settings do not name",
                fix="name its holder in the settings until a rotation is over",
                where="keys",
            )
        return holder
