"""A port that one test keeps: before its server starts, between two starts and after the end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_port() -> Iterator[int]:
    """Port of loopback that stays bound without listening until the block ends.

    A server that is given the port may listen there; nothing else finds it free, so a call reaches
    that server or none.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
