"""A web server on loopback with the exchange's files and with injected faults."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!DOCTYPE html>\n<html><body>Access Denied</body></html>\n"


class FileServer:
    """Serves ``files`` by path; each answer uses up one of ``faults``, then the file is served.

    A fault is a status (``403``), or one of ``page`` (a web page with status 200), ``cut`` (half
    the body, the length of the whole), ``half`` (half the file, with its own length), ``stall``,
    ``empty`` and ``slow`` (429 with Retry-After 7).
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[str | int]] = {}
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.address = ""
        self.over = threading.Event()

    def times(self, path: str) -> int:
        return self.asked.count(path)


@contextmanager
def serving() -> Iterator[FileServer]:
    """Run a server on a free port of loopback until the block ends."""
    state = FileServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state.asked.append(self.path)
            state.agents.add(self.headers["User-Agent"])
            waiting = state.faults.get(self.path, [])
            fault = waiting.pop(0) if waiting else None
            body = state.files.get(self.path, b"")
            if fault is None:
                self._answer(200 if body else 404, body or b"not here")
            elif isinstance(fault, int):
                self._answer(fault, b"no")
            elif fault == "page":
                self._answer(200, PAGE)
            elif fault == "half":
                self._answer(200, body[: len(body) // 2])
            elif fault == "empty":
                self._answer(200, b"")
            elif fault == "slow":
                self._answer(429, b"slow down", after="7")
            else:
                self._answer(200, body[: len(body) // 2], length=len(body))
                self.wfile.flush()
                if fault == "stall":
                    state.over.wait(20)
                self.close_connection = True

        def _answer(
            self, status: int, body: bytes, *, length: int | None = None, after: str = ""
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            if after:
                self.send_header("Retry-After", after)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
