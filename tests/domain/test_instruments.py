"""Contracts: identity, keys that survive odd symbols, refusals."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.instruments import (
    InstrumentKind,
    OptionContract,
    Right,
    contract_key,
    parse_key,
)
from strikeloom.errors import DataError

EXPIRY = date(2026, 2, 24)


def test_lot_size_and_tick_are_no_part_of_the_identity() -> None:
    old = OptionContract("KOTAKBANK", EXPIRY, 42000, Right.CALL, InstrumentKind.STOCK, 400, 5)
    new = OptionContract("KOTAKBANK", EXPIRY, 42000, Right.CALL, InstrumentKind.STOCK, 2000, 1)
    assert old == new
    assert hash(old) == hash(new)


@given(
    symbol=st.sampled_from(["NIFTY", "BAJAJ-AUTO", "M&M", "360ONE"]),
    expiry=st.dates(date(2000, 1, 1), date(2060, 1, 1)),
    strike=st.integers(1, 10**8),
    right=st.sampled_from(list(Right)),
)
def test_a_key_can_be_taken_apart(symbol: str, expiry: date, strike: int, right: Right) -> None:
    contract = OptionContract(symbol, expiry, strike, right)
    assert parse_key(contract.key) == (symbol, expiry, strike, right)


def test_a_key_from_file_parts_is_the_same_key() -> None:
    contract = OptionContract("360ONE", EXPIRY, 126250, Right.PUT)
    assert (
        contract_key("360ONE", EXPIRY, 1262.5, "PE")
        == contract.key
        == ("360ONE:2026-02-24:126250:PE")
    )
    assert contract.label == "360ONE 24 Feb 1262.5 PE"


@pytest.mark.parametrize("text", ["", "NIFTY", "NIFTY:2026-02-30:1:CE", "NIFTY:2026-02-24:1:XX"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="not a contract key"):
        parse_key(text)


@pytest.mark.parametrize("field", ["strike", "lot_size", "tick"])
def test_a_contract_needs_positive_numbers(field: str) -> None:
    facts = {"strike": 100, "lot_size": 1, "tick": 5, field: 0}
    with pytest.raises(DataError, match="must be positive"):
        OptionContract("NIFTY", EXPIRY, right=Right.CALL, **facts)
