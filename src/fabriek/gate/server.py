"""Carries requests to the apps that jobs serve: one request for each connection to an app, each judged before a byte of it goes through."""

import asyncio
import logging
import os
import socket
from pathlib import Path

from fabriek.gate import pages
from fabriek.gate.heads import HEAD_BYTES_MAX, Asked, read_request, to_app, to_visitor
from fabriek.gate.visits import Visits
from fabriek.kernel.errors import FabriekError, InvalidInput, Unavailable
from fabriek.web.addresses import ENTER

log = logging.getLogger("fabriek.gate")

HEAD_SECONDS_MAX = 15
PIECE_BYTES = 64 * 1024
STILL_SECONDS = 2.0
"""Between two looks whether an open line may still be open: how long a lost right lasts on it."""
CONNECTIONS_MAX = 512
"""At once; one browser with a notebook open holds about ten."""


class Gate:
    """Serves on a listening socket until it is cancelled."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits
        self._open = 0

    async def serve(self, listener: socket.socket) -> None:
        server = await asyncio.start_server(self._visit, sock=listener, limit=HEAD_BYTES_MAX)
        async with server:
            await server.serve_forever()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open > CONNECTIONS_MAX:
                writer.write(pages.busy())
            else:
                await self._pass(reader, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            pass  # the visitor left, or never said anything
        except Exception:
            log.exception("a visit failed")
        finally:
            self._open -= 1
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS_MAX)
        try:
            asked = read_request(head)
            if asked.target.partition("?")[0] == ENTER and asked.method == "GET":
                writer.write(await asyncio.to_thread(self._visits.enter, asked))
                return
            door = await asyncio.to_thread(self._visits.door, asked)
            inner, outer = await asyncio.open_unix_connection(
                sock=await asyncio.to_thread(reach, door), limit=HEAD_BYTES_MAX
            )
        except InvalidInput as error:
            writer.write(pages.not_understood(error))
        except Unavailable:
            writer.write(pages.not_yet())
        except FabriekError as error:
            writer.write(pages.refused(error))
        else:
            try:
                await self._carry(asked, reader, writer, inner, outer)
            finally:
                outer.close()

    async def _carry(
        self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        inner: asyncio.StreamReader, outer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        outer.write(to_app(asked))
        sending = asyncio.create_task(_pipe(reader, outer))
        watching = asyncio.create_task(self._watch(asked, writer, outer))
        try:
            head = to_visitor(await inner.readuntil(b"\r\n\r\n"), asked)
        except InvalidInput as error:
            writer.write(pages.not_understood(error, status="502 Bad Gateway"))
        except (OSError, asyncio.IncompleteReadError):  # the way in stands before the app listens
            writer.write(pages.not_yet())
        else:
            writer.write(head)
            await _pipe(inner, writer)
        finally:
            sending.cancel()
            watching.cancel()

    async def _watch(self, asked: Asked, writer: asyncio.StreamWriter, outer: asyncio.StreamWriter) -> None:
        """Cuts a line that stays open, as a notebook's does for hours, once its visitor may not come in any more."""
        while True:
            await asyncio.sleep(STILL_SECONDS)
            try:
                await asyncio.to_thread(self._visits.door, asked)
            except Unavailable:
                continue
            except FabriekError:
                outer.transport.abort()
                writer.transport.abort()
                return


def reach(door: Path) -> socket.socket:
    """A connection to the app. The folder is the job's, so that a link in it is never followed. Raises Unavailable while nobody serves."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        held = os.open(door, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            # Of what is no socket, a link among them, the kernel refuses the connection: the descriptor is of the thing itself.
            connection.connect(f"/proc/self/fd/{held}")
        finally:
            os.close(held)
        connection.setblocking(False)
    except OSError:
        connection.close()
        raise Unavailable("nothing serves there yet", retry_after_seconds=1) from None
    return connection


async def _pipe(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(PIECE_BYTES):
            target.write(piece)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()
    except OSError:
        return
