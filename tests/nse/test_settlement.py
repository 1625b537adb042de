"""Value of an option at expiry."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.nse.settlement import deliveries, delivers, intrinsic


def _option(
    right: Right, strike: int, kind: InstrumentKind = InstrumentKind.INDEX
) -> OptionContract:
    return OptionContract("NIFTY", date(2026, 1, 27), strike, right, kind, 65)


def test_settlement_at_the_exchanges_final_value() -> None:
    """NIFTY closed at 25175.40 on 2026-01-27."""
    assert intrinsic(_option(Right.CALL, 2500000), 2517540) == 17540
    assert intrinsic(_option(Right.PUT, 2500000), 2517540) == 0
    assert intrinsic(_option(Right.PUT, 2600000), 2517540) == 82460


def test_only_stock_options_in_the_money_deliver() -> None:
    assert delivers(_option(Right.PUT, 300000, InstrumentKind.STOCK), 290000)
    assert not delivers(_option(Right.PUT, 300000, InstrumentKind.STOCK), 300000)
    assert not delivers(_option(Right.CALL, 300000, InstrumentKind.STOCK), 290000)
    assert not delivers(_option(Right.CALL, 2500000), 2517540)


@given(strike=st.integers(1, 10**8), final=st.integers(0, 10**8))
def test_call_less_put_is_the_forward(strike: int, final: int) -> None:
    call, put = (intrinsic(_option(right, strike), final) for right in Right)
    assert call - put == final - strike
    assert min(call, put) == 0


EXPIRY = date(2025, 5, 29)


def _tata(strike: int, right: Right = Right.CALL, expiry: date = EXPIRY) -> OptionContract:
    return OptionContract("TATAMOTORS", expiry, strike * 100, right, InstrumentKind.STOCK, 550)


def _delivered(held: dict[OptionContract, int], final: int = 450) -> list[tuple[int, int]]:
    """Shares and rupees of each delivery."""
    finals = {(c.symbol, c.expiry): final * 100 for c in held}
    return [(it.shares, it.amount // 100) for it in deliveries(held, finals)]


def test_a_call_spread_in_the_money_delivers_nothing() -> None:
    assert _delivered({_tata(400): 550, _tata(420): -550}) == []


@pytest.mark.parametrize(
    ("right", "net", "final", "shares", "rupees"),
    [
        (Right.CALL, 550, 450, 550, -220_000),
        (Right.PUT, -550, 350, 550, -220_000),
        (Right.CALL, -550, 450, -550, 220_000),
        (Right.PUT, 550, 350, -550, 220_000),
        (Right.CALL, 550, 400, 0, 0),  # at the money
    ],
)
def test_who_receives_and_who_delivers(
    right: Right, net: int, final: int, shares: int, rupees: int
) -> None:
    expected = [(shares, rupees)] if shares else []
    assert _delivered({_tata(400, right): net}, final) == expected


def test_receipts_and_deliveries_of_one_expiry_net_off_whatever_the_right() -> None:
    """A long call receives what a long put delivers; the expiry after is another matter."""
    assert _delivered({_tata(400): 550, _tata(500, Right.PUT): 550}) == []
    assert _delivered({_tata(400): 550, _tata(500, Right.PUT): -550}) == [(1100, -495_000)]
    later = _tata(420, expiry=date(2025, 6, 26))
    assert _delivered({_tata(400): 550, later: -550}) == [(550, -220_000), (-550, 231_000)]
    index = {_option(Right.CALL, 2500000): 65}
    assert deliveries(index, {("NIFTY", date(2026, 1, 27)): 2517540}) == []


def test_what_is_left_is_shared_by_the_options_of_the_larger_side() -> None:
    held = {_tata(400): 1100, _tata(410): 1100, _tata(420): -1100}
    (found,) = deliveries(held, {("TATAMOTORS", EXPIRY): 450_00})
    assert found.units == {_tata(400): 550, _tata(410): 550}
    assert (found.shares, found.amount) == (1100, -(400_00 + 410_00) * 550)


def test_a_delivery_names_the_cash_or_the_shares_needed() -> None:
    finals = {("TATAMOTORS", EXPIRY): 450_00}
    (bought,) = deliveries({_tata(400): 550}, finals)
    assert bought.sentence() == ("550 shares are received; ₹2,20,000.00 in cash is needed for them")
    (sold,) = deliveries({_tata(400): -550}, finals)
    assert sold.sentence().startswith("550 shares are delivered for ₹2,20,000.00; they must be")


@given(
    st.dictionaries(
        st.builds(_tata, st.integers(380, 470), st.sampled_from(Right)),
        st.integers(-5, 5).map(lambda lots: lots * 550),
        max_size=6,
    )
)
def test_the_parts_of_a_delivery_add_up_to_it(held: dict[OptionContract, int]) -> None:
    for found in deliveries(held, {("TATAMOTORS", EXPIRY): 425_00}):
        assert sum(found.units.values()) == abs(found.shares) > 0
        assert all(0 < part <= abs(held[c]) for c, part in found.units.items())
