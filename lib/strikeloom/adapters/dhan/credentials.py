"""Who we are at the broker and where it is. Nothing here shows itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from strikeloom.settings.secrets import Secret

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
#: Texts shorter than this are not looked for when a message is cleaned: they are everywhere.
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the broker answers.

    Attributes
    ----------
    clock : str
        Where a local exchange tells its time; empty for the broker.
    """

    rest: str = "https://api.dhan.co/v2"
    feed: str = "wss://api-feed.dhan.co"
    orders: str = "wss://api-order-update.dhan.co"
    instruments: str = "https://images.dhan.co/api-data/api-scrip-master-detailed.csv"
    clock: str = ""

    @property
    def local(self) -> bool:
        """Everything that takes or tells an order is on this machine."""
        return all(is_loopback(url) for url in (self.rest, self.feed, self.orders))


@dataclass(frozen=True, slots=True)
class Credentials:
    """Client id and token.

    Attributes
    ----------
    token : callable
        Asked at each connect and each call: a token that was renewed is used from then on.
    """

    client_id: Secret
    token: Callable[[], Secret]

    @property
    def fingerprint(self) -> str:
        """Twelve characters that name the account without showing its client id."""
        return hashlib.sha256(self.client_id.reveal().encode()).hexdigest()[:12]

    def token_mark(self) -> str:
        """Tells one token from another without being either."""
        return hashlib.sha256(self.token().reveal().encode()).hexdigest()

    def clean(self, text: str) -> str:
        """Text of the broker's with our client id and token replaced by ``***``."""
        for secret in (self.token(), self.client_id):
            value = str.__str__(secret.reveal())
            if len(value) >= _SHORTEST:
                text = text.replace(value, "***")
        return text


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, for every reader of addresses.

    With a name before the host, or a backslash, readers differ in what the host is.
    """
    host = urlsplit(url).netloc
    return not set("@\\") & set(host) and (urlsplit(url).hostname or "") in _LOOPBACK
