"""What leads from a job to its supervisor and back."""

import os

from fabriek.node.logs import PIECE_BYTES


class Pipes:
    """Between us and what we start: `output`, `status` and `info` are read here, `arguments` and `filter` are written; `theirs` are the
    other ends.
    """

    def __init__(self, calls_filter: bytes = b"") -> None:
        """calls_filter: small enough for a pipe to hold, so that it is written at once."""
        self.theirs: dict[str, int] = {}
        self.output, self.theirs["output"] = os.pipe()
        self.status, self.theirs["status"] = os.pipe()
        self.info, self.theirs["info"] = os.pipe()
        self.theirs["arguments"], self._arguments = os.pipe()
        self.theirs["filter"], filled = os.pipe()
        os.write(filled, calls_filter)
        os.close(filled)
        os.set_blocking(self.status, False)

    def let_go(self) -> None:
        """Their ends are theirs alone from here on, so that ours tell when nobody writes any more."""
        while self.theirs:
            os.close(self.theirs.popitem()[1])

    def tell(self, arguments: bytes) -> None:
        descriptor, self._arguments = self._arguments, -1
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(arguments)
        except BrokenPipeError:  # bubblewrap has died: its status says so, and its last words are in the log
            return

    def stood(self) -> bool:
        """Whether the forwarder said that it runs within the walls."""
        try:
            return bool(os.read(self.status, 1))
        except BlockingIOError:
            return False

    def said(self) -> str:
        """What is in the output now."""
        os.set_blocking(self.output, False)
        try:
            return os.read(self.output, PIECE_BYTES).decode("utf-8", "replace")
        except BlockingIOError:
            return ""

    def close(self) -> None:
        """All but `info`, which is closed by who listens to it."""
        self.let_go()
        for descriptor in (self.output, self.status, self._arguments):
            if descriptor >= 0:
                os.close(descriptor)
