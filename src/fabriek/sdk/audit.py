"""The audit log, for the client: reading it, taking it along, and verifying it here rather than believing the server."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from fabriek.kernel.clock import Clock, SystemClock
from fabriek.kernel.errors import AlreadyExists, Damaged, InvalidInput
from fabriek.kernel.tlog.checkpoints import read_checkpoint
from fabriek.kernel.tlog.exports import Header, read_header
from fabriek.kernel.tlog.notes import parse_key, parse_note
from fabriek.kernel.tlog.verify import Report, Trust, verify
from fabriek.schemas.audit import CheckpointOut, EventOut, VerifiedOut, WitnessedOut
from fabriek.schemas.base import PageOut
from fabriek.sdk.audit_pins import Pin, read_pins, save_pin
from fabriek.sdk.client import Client


class Audit:
    """Events, checkpoints, exports and their verification."""

    def __init__(self, client: Client, clock: Clock | None = None) -> None:
        self._client = client
        self._clock = clock or SystemClock()

    def events(self, *, subject: str = "", person: str = "", limit: int = 100, cursor: str = "") -> PageOut[EventOut]:
        """Newest first; narrowed to the id of a thing or of a person."""
        asked = {"subject": subject, "person": person, "limit": limit, "cursor": cursor}
        return PageOut[EventOut].model_validate(self._client.get("/api/v1/audit/events", params=asked))

    def checkpoint(self) -> CheckpointOut:
        """What the log commits to now."""
        return CheckpointOut.model_validate(self._client.get("/api/v1/audit/checkpoint"))

    def lines(self) -> Iterator[str]:
        """The whole log, a line at a time."""
        with self._client.stream("/api/v1/audit/export") as response:
            yield from response.iter_lines()

    def export(self, file: str | Path) -> int:
        """Writes the whole log into a new file that can be verified without this server; how many bytes. Raises AlreadyExists."""
        written = 0
        try:
            with Path(file).open("xb") as out, self._client.stream("/api/v1/audit/export") as response:
                for part in response.iter_bytes():
                    written += out.write(part)
        except FileExistsError:
            raise AlreadyExists(f"{file} is already there", fix="name a new file") from None
        except BaseException:
            Path(file).unlink(missing_ok=True)
            raise
        return written

    def verify(self, *, trust: Trust | None = None, accept_new_key: bool = False) -> VerifiedOut:
        """Takes the whole log and verifies it here, against the key and the checkpoint that this machine kept from the last time.

        What held becomes the new pin. `accept_new_key` forgets the old one: only when you know why the key changed.
        """
        given = trust or Trust()
        pin = None if accept_new_key else read_pins().get(self._client.url)
        known = _with_pin(given, pin)
        report = verify(self.lines(), known, self._clock.now())
        if not report.findings:
            save_pin(self._client.url, Pin(report.key, report.checkpoint))
        return _verified(report, _key_from(given, pin))


def verify_file(file: str | Path, *, trust: Trust | None = None, clock: Clock | None = None) -> VerifiedOut:
    """Verifies an export without any server. The pin of that log is used when this machine has one."""
    given = trust or Trust()
    try:
        with Path(file).open(encoding="utf-8", errors="replace") as lines:
            pin = None if given.key else _pin_of(read_header(lines.readline()))
            lines.seek(0)
            report = verify(lines, _with_pin(given, pin), (clock or SystemClock()).now())
    except OSError as error:
        raise InvalidInput(
            f"{file} cannot be read ({error.strerror})", fix="name the file that `fabriek audit export` wrote"
        ) from None
    return _verified(report, _key_from(given, pin))


def trust_of(key: str = "", kept: Sequence[str | Path] = (), witnesses: Iterable[str] = ()) -> Trust:
    """What the caller knows from elsewhere: the log's key, files with checkpoints that were kept, keys of witnesses."""
    try:
        notes = tuple(Path(file).read_text("utf-8") for file in kept)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"a kept checkpoint cannot be read ({error})", fix="name a file with a checkpoint, signatures and all"
        ) from None
    return Trust(parse_key(key) if key else None, notes, tuple(parse_key(one) for one in witnesses))


def _with_pin(trust: Trust, pin: Pin | None) -> Trust:
    if pin is None:
        return trust
    kept = (*trust.kept, pin.checkpoint) if pin.checkpoint else trust.kept
    return replace(trust, key=trust.key or parse_key(pin.key), kept=kept)


def _pin_of(header: Header) -> Pin | None:
    """The pin of the log that an export says it is of. Its checkpoint is left out when it is newer: an old export is no cut log."""
    name = parse_key(header.key).name
    pin = next((one for one in read_pins().values() if parse_key(one.key).name == name), None)
    if pin is not None and pin.checkpoint and _size(pin.checkpoint) > _size(header.checkpoint):
        return replace(pin, checkpoint="")
    return pin


def _size(note: str) -> int:
    """0 for what is not a checkpoint: the verification itself says so."""
    try:
        return read_checkpoint(parse_note(note)).size
    except Damaged:
        return 0


def _key_from(trust: Trust, pin: Pin | None) -> str:
    return "given" if trust.key else "pinned" if pin else "log"


def _verified(report: Report, key_from: str) -> VerifiedOut:
    seen = report.witnessed
    return VerifiedOut(
        says=report.sentence,
        consistent=not report.findings,
        entries=report.size,
        key=report.key,
        key_from=key_from,
        findings=list(report.findings),
        pending=list(report.pending),
        witnessed=WitnessedOut(name=seen.name, size=seen.size, at=seen.at) if seen else None,
    )
