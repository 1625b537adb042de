"""Margin estimates: many structures at once, whole books, and what one order's check costs.

Ratios are to the same work one by one, and of a book of hundreds of contracts to one of four.
"""

from __future__ import annotations

import time
from datetime import date, datetime

import numpy as np

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.nse.sessions import IST
from strikeloom.risk.book import book_margins
from strikeloom.risk.margin import margin_parts, margins
from strikeloom.risk.margin_legs import MarginLegs
from strikeloom.risk.parameters import span_parameters

NOW = datetime(2026, 2, 11, 10, 0, tzinfo=IST)
INDEX = span_parameters(InstrumentKind.INDEX, "NIFTY", NOW.date())


def timed(work, *given, again=3):
    spent = []
    for _ in range(again):
        start = time.perf_counter()
        work(*given)
        spent.append(time.perf_counter() - start)
    return min(spent)


def structures(count, legs=4):
    rng = np.random.default_rng(1)
    shape = (count, legs)
    strikes = rng.integers(200, 300, shape) * 100.0
    calls, units = rng.random(shape) < 0.5, rng.choice([-65.0, 65.0], shape)
    rest = np.full(count, 25000.0), np.full(count, 0.15), np.full(count, 20 / 365)
    return strikes, calls, units, *rest


def batches():
    for count in (1_000, 36_000):
        given = structures(count)
        seconds = timed(margins, *given, INDEX)

        def singly(given=given, some=300):
            for at in range(some):
                margins(*(column[at : at + 1] for column in given), INDEX)

        alone = timed(singly, again=1) / 300
        print(
            f"{count:>6} of four legs    {count / seconds:9.0f} /s  "
            f"{alone * count / seconds:7.1f} times one by one; {seconds:.3f} s in all"
        )


def calendars(count=36_000):
    strikes, calls, units, forward, vol, years = structures(count)
    shape = strikes.shape
    later = np.where(np.arange(4) % 2, years[:, None] + 28 / 365, years[:, None])
    legs = MarginLegs(
        strikes, calls, units, np.broadcast_to(forward[:, None], shape),
        np.broadcast_to(vol[:, None], shape), later, np.full(shape, np.nan), np.zeros(shape),
        np.zeros(shape, dtype=bool),
    )  # fmt: skip
    seconds = timed(margin_parts, legs, vol, INDEX)
    one = timed(margins, strikes, calls, units, forward, vol, years, INDEX)
    print(
        f"{count:>6} over two months  {count / seconds:9.0f} /s  {seconds / one:7.1f} times the "
        "time of one month"
    )


def books():
    expiries = [date(2026, 2, 24), date(2026, 3, 30)]
    listed = [
        OptionContract("NIFTY", expiry, strike * 100, right, InstrumentKind.INDEX, 65, 5)
        for expiry in expiries
        for strike in range(22500, 27500, 50)
        for right in Right
    ]
    spent = {}
    for count in (4, 40, 400):
        book = {c: 65 if n % 3 else -65 for n, c in enumerate(listed[:: 400 // count])}
        spent[count] = timed(book_margins, [book], {"NIFTY": 25_000_00}, {}, NOW)
        print(
            f"a book of {len(book):>3} contracts {1e3 * spent[count]:8.2f} ms  "
            f"{spent[count] / spent[4]:7.1f} times one of four"
        )


if __name__ == "__main__":
    margins(*structures(10), INDEX)
    batches()
    calendars()
    books()
