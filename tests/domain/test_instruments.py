"""Instruments: identity, keys that survive odd symbols, sorting, refusals."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.instruments import (
    FutureContract,
    Instrument,
    InstrumentKind,
    OptionContract,
    Right,
    Share,
    as_option,
    instrument_key,
    instrument_of,
    order_of,
    symbol_of,
)
from strikeloom.errors import DataError

EXPIRY = date(2026, 2, 24)


def test_lot_size_and_tick_are_no_part_of_the_identity() -> None:
    old = OptionContract("KOTAKBANK", EXPIRY, 42000, Right.CALL, InstrumentKind.STOCK, 400, 5)
    new = OptionContract("KOTAKBANK", EXPIRY, 42000, Right.CALL, InstrumentKind.STOCK, 2000, 1)
    assert old == new
    assert hash(old) == hash(new)


symbols = st.sampled_from(["NIFTY", "BAJAJ-AUTO", "M&M", "360ONE"])
expiries = st.dates(date(2000, 1, 1), date(2060, 1, 1))
kinds, lots, ticks = st.sampled_from(InstrumentKind), st.integers(1, 10**5), st.integers(1, 500)
instruments = st.one_of(
    st.builds(Share, symbols, ticks),
    st.builds(FutureContract, symbols, expiries, kinds, lots, ticks),
    st.builds(
        OptionContract, symbols, expiries, st.integers(1, 10**8), st.sampled_from(Right), kinds,
        lots, ticks,
    ),
)  # fmt: skip


@given(instruments)
def test_an_instrument_is_made_again_from_its_key_and_facts(instrument: Instrument) -> None:
    again = instrument_of(instrument.key, instrument.kind, instrument.lot_size, instrument.tick)
    assert (again, type(again)) == (instrument, type(instrument))
    assert (again.kind, again.lot_size, again.tick) == (
        instrument.kind, instrument.lot_size, instrument.tick,
    )  # fmt: skip
    assert symbol_of(instrument.key) == instrument.symbol


@given(st.lists(instruments, max_size=6))
def test_all_kinds_have_one_order_and_different_keys(items: list[Instrument]) -> None:
    ranks = {item: order_of(item) for item in items}
    assert len(set(ranks.values())) == len(ranks) == len({item.key for item in items})
    options = [item for item in items if isinstance(item, OptionContract)]
    assert sorted(options, key=order_of) == sorted(options)


def test_a_share_comes_before_its_future_and_that_before_its_options() -> None:
    share, future = Share("ITC"), FutureContract("ITC", EXPIRY)
    put = OptionContract("ITC", EXPIRY, 40000, Right.PUT)
    later = FutureContract("ITC", date(2026, 3, 30))
    assert sorted([later, put, future, share], key=order_of) == [share, future, put, later]
    assert [it.label for it in (share, future)] == ["ITC share", "ITC 24 Feb future"]
    assert [it.key for it in (share, future)] == ["ITC:SHARE", "ITC:2026-02-24:FUT"]


def test_only_an_option_is_an_option() -> None:
    put = OptionContract("ITC", EXPIRY, 40000, Right.PUT)
    assert as_option(put) is put
    with pytest.raises(DataError, match="ITC share is no option"):
        as_option(Share("ITC"))


def test_a_key_from_file_parts_is_the_same_key() -> None:
    instrument = OptionContract("360ONE", EXPIRY, 126250, Right.PUT)
    assert (
        instrument_key("360ONE", EXPIRY, 1262.5, "PE")
        == instrument.key
        == ("360ONE:2026-02-24:126250:PE")
    )
    assert instrument.label == "360ONE 24 Feb 1262.5 PE"
    assert instrument_key("360ONE", EXPIRY, 0.0, "XX") == FutureContract("360ONE", EXPIRY).key


@pytest.mark.parametrize(
    "text",
    [
        "", "NIFTY", ":SHARE", "NIFTY:EQ", "NIFTY:2026-02-30:1:CE", "NIFTY:2026-02-24:1:XX",
        "NIFTY:2026-02-24:FUT:CE", ":2026-02-24:FUT", "NIFTY:2026-02-24",
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="names no instrument"):
        instrument_of(text)


@pytest.mark.parametrize("field", ["strike", "lot_size", "tick"])
def test_a_contract_needs_positive_numbers(field: str) -> None:
    facts = {"strike": 100, "lot_size": 1, "tick": 5, field: 0}
    with pytest.raises(DataError, match="must be positive"):
        OptionContract("NIFTY", EXPIRY, right=Right.CALL, **facts)
