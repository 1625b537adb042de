"""Value of an option at expiry."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from strikeloom.domain.instruments import InstrumentKind, OptionContract, Right
from strikeloom.nse.settlement import delivers, intrinsic


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
