"""One mounted version: what the kernel asks of it, answered from its grant."""

import errno
import itertools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress

from fabriek.kernel.errors import Damaged, FabriekError, NotAuthenticated, NotFound, NotPermitted, Unavailable
from fabriek.node.mounts import wire
from fabriek.node.mounts.nodes import Nodes
from fabriek.node.mounts.wire import Asked, Request
from fabriek.sdk.reading import Reading
from fabriek.sdk.tree import Tree

VALID_SECONDS = 30
"""How long the kernel may believe a name without asking: names vanish with the grant, too."""

PATIENCE_SECONDS, RETRY_SECONDS = 600, 1.0
"""How long a read waits for a server that is away."""

ENDED = (NotPermitted, NotFound, NotAuthenticated)

_Act = Callable[[Request], bytes]


class Mounted:
    """Answers until its grant has ended; from then on every answer is EACCES, and nothing of the data is kept."""

    def __init__(self, device: int, reading: Reading, readers: Executor, seconds: int) -> None:
        """device: the kernel's end. readers: where reads wait that have to fetch. seconds: the time that its files show."""
        self._device, self._reading, self._readers = device, reading, readers
        self._nodes = Nodes(Tree(reading.book), seconds)
        self._listings: dict[int, list[tuple[str, int, int]]] = {}
        self._handles = itertools.count(1)
        self._waiting: dict[int, threading.Event] = {}
        self._acts: dict[int, _Act] = {
            Asked.INIT: lambda request: wire.greeting(request.body),
            Asked.LOOKUP: self._look_up, Asked.GETATTR: self._attributes, Asked.READLINK: self._read_link,
            Asked.OPEN: self._open, Asked.OPENDIR: self._open_folder, Asked.READDIR: self._list,
            Asked.RELEASEDIR: self._close_folder, Asked.STATFS: self._room,
        } | dict.fromkeys((Asked.RELEASE, Asked.FLUSH, Asked.DESTROY), lambda _: b"")  # fmt: skip
        self.damaged: set[str] = set()
        self.closed, self.refused = threading.Event(), False

    def serve(self) -> None:
        """Until it is unmounted."""
        while True:
            try:
                request = wire.read_request(os.read(self._device, wire.REQUEST_BYTES_MAX))
            except OSError as error:
                if error.errno in {errno.ENOENT, errno.EINTR, errno.EAGAIN}:  # taken back before we had read it
                    continue
                return
            if request.asked == Asked.INTERRUPT:
                self._let_go(request.interrupted())
            elif request.asked == Asked.READ:
                self._take_read(request)
            elif request.asked in {Asked.LOOKUP, Asked.OPENDIR} and self._reading.book.root.level:
                self._elsewhere(request)  # names lie in pages that may have to be fetched
            elif request.asked not in wire.UNANSWERED:
                self._reply(request, self._answer)

    def look(self) -> None:
        """Asks whether the grant still holds, and closes where it does not."""
        if self.closed.is_set():
            return
        try:
            self._reading.opened.check()
        except ENDED:
            self.close()
        except FabriekError:
            return  # whoever reads will learn of it

    def close(self) -> None:
        """Nothing is answered any more, and the kernel drops what it holds."""
        self.closed.set()
        self._reading.forget()
        # Not here: the kernel waits for reads under way, of which this may be one.
        threading.Thread(target=self._drop_pages, daemon=True).start()

    def _drop_pages(self) -> None:
        for node in range(wire.ROOT, len(self._nodes)):
            with suppress(OSError):  # the kernel holds nothing of it
                os.writev(self._device, wire.drop_pages(node))

    def _take_read(self, request: Request) -> None:
        """What is in memory is answered at once; the rest may wait for the server, elsewhere."""
        if not self.closed.is_set():
            with suppress(OSError):
                _, offset, count = request.stretch()
                kept = self._reading.kept(self._nodes.file(request.node), offset, offset + count)
                if kept is not None:
                    self._send(wire.answer(request.unique, kept))
                    return
        self._elsewhere(request)

    def _elsewhere(self, request: Request) -> None:
        """In another thread, which may wait for the server."""
        self._waiting[request.unique] = threading.Event()
        self._readers.submit(self._reply, request, self._patiently)

    def _reply(self, request: Request, act: _Act) -> None:
        try:
            if self.closed.is_set() and request.asked != Asked.INIT:
                self.refused = True
                raise OSError(errno.EACCES, "the grant has ended")  # noqa: TRY301  # one way out for every error
            body = act(request)
        except OSError as error:
            self._send(wire.answer(request.unique, error=error.errno or errno.EIO))
        except Exception:  # noqa: BLE001  # who reads waits for an answer, whatever went wrong with us
            self._send(wire.answer(request.unique, error=errno.EIO))
            sys.excepthook(*sys.exc_info())
        else:
            self._send(wire.answer(request.unique, body))

    def _send(self, pieces: list[bytes]) -> None:
        with suppress(OSError):  # nobody waits for it any more
            os.writev(self._device, pieces)

    def _answer(self, request: Request) -> bytes:
        act = self._acts.get(request.asked)
        if act is None:
            raise OSError(errno.ENOSYS, "not known")
        return act(request)

    def _look_up(self, request: Request) -> bytes:
        return wire.entry(self._nodes.below(request.node, request.name()), VALID_SECONDS)

    def _attributes(self, request: Request) -> bytes:
        return wire.attributes_for(self._nodes.attributes(request.node), VALID_SECONDS)

    def _read_link(self, request: Request) -> bytes:
        return self._nodes.file(request.node).link.encode()

    def _open(self, request: Request) -> bytes:
        self._nodes.file(request.node)
        return wire.opened(0, keep=True)

    def _open_folder(self, request: Request) -> bytes:
        handle = next(self._handles)
        self._listings[handle] = self._nodes.listing(request.node)
        return wire.opened(handle, keep=False)

    def _list(self, request: Request) -> bytes:
        handle, offset, count = request.stretch()
        return wire.listed(self._listings[handle], offset, count)

    def _close_folder(self, request: Request) -> bytes:
        self._listings.pop(request.stretch()[0], None)
        return b""

    def _room(self, _: Request) -> bytes:
        book = self._reading.book
        return wire.room(book.size_bytes, book.count)

    def _read(self, request: Request) -> bytes:
        _, offset, count = request.stretch()
        return self._reading.read(self._nodes.file(request.node), offset, offset + count)

    def _patiently(self, request: Request) -> bytes:
        """Raises OSError: EIO on damage, EACCES once the grant has ended, EINTR when nobody waits any more."""
        act, gone = self._acts.get(request.asked, self._read), self._waiting[request.unique]
        try:
            for _ in range(int(PATIENCE_SECONDS / RETRY_SECONDS)):
                try:
                    return act(request)
                except Unavailable:
                    if gone.wait(RETRY_SECONDS):
                        raise OSError(errno.EINTR, "taken back") from None
            raise OSError(errno.EIO, "the server is away")
        except Damaged as error:
            self.damaged.add(self._nodes.path(request.node))
            raise OSError(errno.EIO, error.detail) from None
        except ENDED as error:
            self.refused = True
            self.close()
            raise OSError(errno.EACCES, error.detail) from None
        finally:
            del self._waiting[request.unique]

    def _let_go(self, unique: int) -> None:
        if waiting := self._waiting.get(unique):
            waiting.set()
