"""What is said of a version that was just made."""

from typing import TYPE_CHECKING

from fabriek.cli.output import counted, print_json, say
from fabriek.kernel.units import shown_bytes

if TYPE_CHECKING:  # sealing costs time that help should not pay
    from fabriek.sdk.push import Pushed


def tell_pushed(pushed: "Pushed", name: str, *, as_json: bool) -> None:
    version = pushed.version
    if as_json:
        print_json({"version": version, "sent_bytes": pushed.sent_bytes, "unchanged": pushed.unchanged})
    elif pushed.unchanged:
        say(f"nothing changed: {name} is still @{version.number}")
    else:
        size, sent = shown_bytes(version.size_bytes), shown_bytes(pushed.sent_bytes)
        say(f"{name}@{version.number}  {counted(version.files, 'file')}, {size}, label {version.label}; sent {sent}")
