"""The table of a chain against closed forms: one volatility, no interest."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.stats import norm

from strikeloom.errors import DataError, WrongUsage
from strikeloom.nse.events import KnownEvent
from strikeloom.research.chain import OptionChain, chain_of
from strikeloom.research.known_chain import day_of, read_chain
from strikeloom.strategy_creation.model_chain import LOT, model_chain
from support.known_chain import OPEN_INTEREST, UNTRADED, known_chain

FRONT, NEXT, VOL = "2026-03-10", "2026-04-14", 0.32


@pytest.fixture(scope="module")
def found() -> OptionChain:
    return chain_of(known_chain())


def test_the_head_is_in_per_cent_and_text(found: OptionChain) -> None:
    assert (found.symbol, found.day, found.expiry, found.days) == ("MODEL", "2026-02-10", FRONT, 28)
    assert (found.spot, found.forward, found.lot_size) == (100.0, 100.0, LOT)
    assert found.atm_iv == pytest.approx(32.0)
    assert found.forecast_iv == pytest.approx(32.0)
    assert found.expected_move == pytest.approx(100 * VOL * math.sqrt(28 / 365))
    assert found.expiries == (FRONT, NEXT)
    assert chain_of(known_chain(), "next").expiry == NEXT
    assert chain_of(known_chain(), NEXT).days == 63


def test_each_contract_has_its_volatility_and_greeks(found: OptionChain) -> None:
    table = found.table.set_index(["strike", "right"])
    s = VOL * math.sqrt(28 / 365)
    for strike in (90.0, 100.0, 108.0):
        d1 = math.log(100 / strike) / s + s / 2
        call, put = table.loc[(strike, "CE")], table.loc[(strike, "PE")]
        assert (call["iv"], put["iv"]) == pytest.approx((32.0, 32.0), abs=0.3)  # closes in paise
        assert (call["smile_iv"], put["smile_iv"]) == pytest.approx((32.0, 32.0))
        assert call["delta"] == pytest.approx(norm.cdf(d1))
        assert put["delta"] == pytest.approx(norm.cdf(d1) - 1)
        vega = 100 * norm.pdf(d1) * math.sqrt(28 / 365) / 100
        assert call["vega"] == pytest.approx(vega)
        assert call["theta"] == pytest.approx(-100 * norm.pdf(d1) * VOL**2 / (2 * s * 365))
        assert (call["note"], call["open_interest"], call["oi_change"]) == ("", OPEN_INTEREST, -100)


def test_spreads_are_those_measured_of_that_price_and_volume(found: OptionChain) -> None:
    """Stocks with 101 to 1,000 lots: 5.1 % at 2 to 5 rupees, 3.0 % at 5 to 10 (the table)."""
    table = found.table.set_index(["strike", "right"])
    near, dear = table.loc[(100.0, "CE")], table.loc[(93.0, "CE")]
    assert (2 < near["close"] < 5, 5 < dear["close"] < 10) == (True, True)
    assert near["spread"] == pytest.approx(0.051 * near["close"])
    assert dear["spread"] == pytest.approx(0.03 * dear["close"])


def test_a_contract_without_trades_has_no_price_and_a_note(found: OptionChain) -> None:
    rows = found.table[found.table["strike"] == UNTRADED]
    assert len(rows) == 1  # its call is worth nothing and is not listed
    assert set(rows["note"]) == {"did not trade that day"}
    assert rows[["close", "spread", "iv"]].isna().all(axis=None)
    assert rows[["smile_iv", "delta", "open_interest"]].notna().all(axis=None)
    traded = len(found.table) - 1
    assert f"{traded} of {len(found.table)} contracts traded" in repr(found)


def test_a_close_that_is_older_than_the_last_half_hour_has_a_note() -> None:
    known = known_chain()
    front = known.chain.front.expiry
    rows = known.listed[front].copy()
    mine = (rows["strike"] == 104.0) & (rows["right"] == "CE")
    rows.loc[mine, "settle"] += 0.5
    shown = chain_of(replace(known, listed={**known.listed, front: rows})).table
    old = shown[shown["note"] == "last traded before the closing half hour"]
    assert old[["strike", "right"]].to_numpy().tolist() == [[104.0, "CE"]]


def test_units_are_with_every_column(found: OptionChain) -> None:
    assert set(found.table.attrs["units"]) == set(found.table)
    assert found.table.attrs["units"]["iv"] == "% a year"
    html = found._repr_html_()
    assert "close [rupees]" in html
    low, high = 100 * np.exp([-0.18, 0.18])
    assert f"{math.ceil(low)}.00" in html
    assert f"{math.ceil(high) + 2}.00" not in html


def test_events_before_the_expiry_are_named() -> None:
    day = model_chain().day
    event = KnownEvent(
        day + timedelta(days=3), None, (), "", "policy", "Policy", day, None, "x", "line 1"
    )
    shown = chain_of(known_chain(replace(model_chain(), events=(event,))))
    assert shown.events == ("Policy on 2026-02-13, 16 sessions before expiry",)
    assert "event: Policy on 2026-02-13" in repr(shown)


def test_an_expiry_that_cannot_be_used_is_refused_with_those_that_can() -> None:
    known = known_chain()
    with pytest.raises(
        DataError, match=f"2026-03-11 of MODEL .*not listed; usable: {FRONT}, {NEXT}"
    ):
        known.expiry("2026-03-11")
    missing = replace(known.whole, missing={date(2026, 6, 30): "no smile: too few"})
    with pytest.raises(DataError, match="2026-06-30 of MODEL on 2026-02-10: no smile: too few"):
        replace(known, whole=missing).expiry(date(2026, 6, 30))
    with pytest.raises(WrongUsage, match="expiry 'soon' is not a day; write YYYY-MM-DD or front"):
        known.expiry("soon")


def test_a_day_is_text_or_a_date() -> None:
    assert day_of("2026-02-10", "day") == day_of(date(2026, 2, 10), "day")
    with pytest.raises(WrongUsage, match=r"day '10\.2\.2026' is not a day; write YYYY-MM-DD$"):
        read_chain("NIFTY", "10.2.2026")
