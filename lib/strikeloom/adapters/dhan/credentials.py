"""Client id, token and addresses of the broker. None of them is shown when printed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from strikeloom.settings.secrets import Secret

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
#: Shorter texts are not removed when a message is cleaned: they occur everywhere.
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of the broker.

    Attributes
    ----------
    clock : str
        Where a local exchange reports its time; empty for the broker.
    """

    rest: str = "https://api.dhan.co/v2"
    feed: str = "wss://api-feed.dhan.co"
    orders: str = "wss://api-order-update.dhan.co"
    instruments: str = "https://images.dhan.co/api-data/api-scrip-master-detailed.csv"
    clock: str = ""

    @property
    def local(self) -> bool:
        """Whether all addresses that take or report orders are on this machine."""
        return all(is_loopback(url) for url in (self.rest, self.feed, self.orders))


@dataclass(frozen=True, slots=True)
class Credentials:
    """Client id and token.

    Attributes
    ----------
    token : callable
        Returns the token; called at each connect and each call, so that a renewed one is used.
    """

    client_id: Secret
    token: Callable[[], Secret]

    @property
    def fingerprint(self) -> str:
        """Twelve characters that name the account without showing its client id."""
        return hashlib.sha256(self.client_id.reveal().encode()).hexdigest()[:12]

    def token_mark(self) -> str:
        """Hash of the token, by which a renewed one is noticed."""
        return hashlib.sha256(self.token().reveal().encode()).hexdigest()

    def clean(self, text: str) -> str:
        """Text of the broker with our client id and token replaced by ``***``."""
        for secret in (self.token(), self.client_id):
            value = str.__str__(secret.reveal())
            if len(value) >= _SHORTEST:
                text = text.replace(value, "***")
        return text


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, for every library that parses addresses.

    With a user name before the host, or a backslash, libraries differ in what the host is.
    """
    host = urlsplit(url).netloc
    return not set("@\\") & set(host) and (urlsplit(url).hostname or "") in _LOOPBACK
