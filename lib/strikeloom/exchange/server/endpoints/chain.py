"""Expiry list and option chain."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from strikeloom.domain.instruments import OptionContract, Right
from strikeloom.errors import NoQuote
from strikeloom.exchange.server.api_call import ApiCall
from strikeloom.exchange.server.packets import Instant
from strikeloom.exchange.server.responses import ApiResponse, data_refused, no_data_plan
from strikeloom.exchange.server.wire_codes import CONTRACTS, rupee
from strikeloom.nse.sessions import years_to_expiry
from strikeloom.quant.black76 import greeks
from strikeloom.quant.implied.solver import implied_vol

_SIDE = {Right.CALL: "ce", Right.PUT: "pe"}


def expiries(call: ApiCall) -> ApiResponse:
    """Expiries listed on an underlying."""
    symbol = _underlying(call)
    found = call.exchange.market.expiries(symbol)
    days = [day.isoformat() for day in found if day >= call.now.date()]
    return ApiResponse({"data": days, "status": "success"})


def chain(call: ApiCall) -> ApiResponse:
    """Option chain of an underlying and expiry, with Greeks computed by the exchange."""
    symbol = _underlying(call)
    try:
        expiry = date.fromisoformat(str(call.body.get("Expiry", "")))
    except ValueError:
        raise data_refused(812, "Invalid Date Format") from None
    rows = [
        (row, option)
        for row in call.exchange.market.listed
        if isinstance(option := row.instrument, OptionContract)
        and (option.symbol, option.expiry) == (symbol, expiry)
    ]
    if not rows or expiry < call.now.date():
        raise data_refused(811, "Invalid Expiry Date")
    found = call.exchange.instants((CONTRACTS, row.security_id) for row, _ in rows)
    instants = {it.security_id: it for it in found}
    try:
        spot = call.exchange.market.spot(symbol)[0]
    except NoQuote:
        raise data_refused(800, "Internal Server Error", 500) from None
    oc: dict[str, dict[str, Any]] = {}
    pairs = [(option, instants[row.security_id]) for row, option in rows]
    values = _values(call, expiry, pairs, spot)
    for option, it in pairs:
        side = {**values[option.key], **_side(it)}
        oc.setdefault(f"{option.strike / 100:.6f}", {})[_SIDE[option.right]] = side
    ordered = dict(sorted(oc.items(), key=lambda item: float(item[0])))
    return ApiResponse({"data": {"last_price": rupee(spot), "oc": ordered}, "status": "success"})


def _underlying(call: ApiCall) -> str:
    if not call.client.data_plan:
        raise no_data_plan()
    asked = call.body.get("UnderlyingScrip"), call.body.get("UnderlyingSeg")
    for row in call.exchange.market.underlyings:
        if (str(row.security_id), row.segment) == (str(asked[0]), asked[1]):
            return row.symbol
    raise data_refused(813, "Invalid SecurityId")


def _side(it: Instant) -> dict[str, Any]:
    bid, ask = it.bids[0] if it.bids else None, it.asks[0] if it.asks else None
    return {
        "average_price": rupee(it.average),
        "last_price": rupee(it.last),
        "oi": it.interest,
        "previous_close_price": rupee(it.previous_close),
        "previous_oi": it.previous_interest,
        "previous_volume": it.previous_volume,
        "security_id": it.security_id,
        "top_ask_price": rupee(ask.price) if ask else 0,
        "top_ask_quantity": ask.units if ask else 0,
        "top_bid_price": rupee(bid.price) if bid else 0,
        "top_bid_quantity": bid.units if bid else 0,
        "volume": it.volume,
    }


def _values(
    call: ApiCall, expiry: date, rows: list[tuple[Any, Instant]], spot: int
) -> dict[str, dict[str, Any]]:
    """Implied volatility in percent and Greeks by contract key; 0 where there is none."""
    years = np.full(len(rows), years_to_expiry(call.now, expiry))
    strike = np.array([instrument.strike / 100 for instrument, _ in rows])
    is_call = np.array([instrument.right is Right.CALL for instrument, _ in rows])
    price = np.array([_fair(it) / 100 for _, it in rows])
    price[price == 0] = np.nan
    forward = np.full(len(rows), _forward(strike, is_call, price, spot / 100))
    vol, _ = implied_vol(price, forward, strike, years, is_call)
    found = greeks(forward, strike, years, np.nan_to_num(vol), is_call)
    known = np.isfinite(vol)
    columns = {
        name: np.where(known & np.isfinite(value), value, 0.0)
        for name, value in (
            ("delta", found.delta),
            ("theta", found.theta),
            ("gamma", found.gamma),
            ("vega", found.vega / 100),
        )
    }
    percent = np.where(known, vol * 100, 0.0)
    return {
        instrument.key: {
            "greeks": {name: round(float(column[at]), 5) for name, column in columns.items()},
            "implied_volatility": float(percent[at]),
        }
        for at, (instrument, _) in enumerate(rows)
    }


def _fair(it: Instant) -> float:
    """Middle of a two-sided quote, else the last price; 0 when there is neither."""
    if it.bids and it.asks:
        return (it.bids[0].price + it.asks[0].price) / 2
    return it.last


def _forward(strike: np.ndarray, is_call: np.ndarray, price: np.ndarray, spot: float) -> float:
    """Level at which call and put of the strike nearest to the spot agree; else the spot."""
    calls = dict(zip(strike[is_call].tolist(), price[is_call].tolist(), strict=True))
    puts = dict(zip(strike[~is_call].tolist(), price[~is_call].tolist(), strict=True))
    pairs = [k for k in calls if k in puts and np.isfinite(calls[k]) and np.isfinite(puts[k])]
    if not pairs:
        return spot
    nearest = min(pairs, key=lambda k: abs(k - spot))
    return float(nearest + calls[nearest] - puts[nearest])
