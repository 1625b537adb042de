"""The one test of whether a quote may decide anything: it is there and young enough."""

from __future__ import annotations

from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.quotes import Quote
from strikeloom.errors import NoQuote
from strikeloom.ports.desk import Desk


def fresh(desk: Desk, contract: OptionContract, quote: Quote | None) -> Quote:
    """Return the quote, if orders may be priced and exits decided by it.

    Raises
    ------
    NoQuote
        When there is none, or it is older than ``config/desk.yaml`` allows in the desk's mode;
        then with its ``age`` and the ``limit`` in seconds of the desk's time.
    """
    if quote is None:
        raise NoQuote(f"{contract.label} has no quote now", key=contract.key)
    age = (desk.clock.now() - quote.at).total_seconds()
    limit = desk.quote_age_seconds
    if age > limit:
        raise NoQuote(
            f"{contract.label}: its quote is {age:.0f} s old, {limit:.0f} s are allowed in mode "
            f"{desk.mode}",
            key=contract.key,
            age=age,
            limit=limit,
        )
    return quote
