"""Market quotes by REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from strikeloom.domain.depth import Level
from strikeloom.exchange.server.api_call import ApiCall
from strikeloom.exchange.server.packets import LEVELS, SEGMENTS, Instant
from strikeloom.exchange.server.responses import ApiResponse, data_refused, no_data_plan
from strikeloom.exchange.server.wire_codes import is_id, rupee

_MAX = 1000


def last_price(call: ApiCall) -> ApiResponse:
    """Last prices."""
    return _response(call, lambda it, _: {"last_price": rupee(it.last)})


def ohlc(call: ApiCall) -> ApiResponse:
    """Last prices and the day's range."""
    return _response(call, lambda it, _: {"last_price": rupee(it.last), "ohlc": _range(it)})


def quote(call: ApiCall) -> ApiResponse:
    """All fields of a quote, with five levels of depth."""
    return _response(call, _quote)


Shape = Callable[[Instant, tuple[int, int]], dict[str, Any]]


def _response(call: ApiCall, shape: Shape) -> ApiResponse:
    """Response by segment and id; an unknown segment or id is left out, as recorded."""
    if not call.client.data_plan:
        raise no_data_plan()
    wanted = {name: ids for name, ids in call.body.items() if name in SEGMENTS}
    if not all(isinstance(ids, list) for ids in wanted.values()):
        raise data_refused(814, "Invalid Request")
    if sum(len(ids) for ids in wanted.values()) > _MAX:
        raise data_refused(804, "Requested number of instruments exceeds limit")
    data: dict[str, dict[str, Any]] = {}
    for segment, ids in wanted.items():
        numbers = [_number(text) for text in ids]
        found = call.exchange.instants((segment, number) for number in numbers)
        data[segment] = {
            str(it.security_id): shape(it, call.exchange.band(segment, it.security_id))
            for it in found
        }
    return ApiResponse({"data": data, "status": "success"})


def _number(text: object) -> int:
    if isinstance(text, bool) or not isinstance(text, int | str) or not is_id(str(text)):
        raise data_refused(813, "Invalid SecurityId")
    return int(text)


def _range(it: Instant) -> dict[str, float]:
    # during the session the close is that of the previous session
    return {
        "open": rupee(it.open),
        "close": rupee(it.previous_close),
        "high": rupee(it.high),
        "low": rupee(it.low),
    }


def _quote(it: Instant, band: tuple[int, int]) -> dict[str, Any]:
    change = it.last - it.previous_close if it.last and it.previous_close else 0
    traded = f"{it.traded_at:%d/%m/%Y %H:%M:%S}" if it.traded_at else "01/01/1980 00:00:00"
    return {
        "average_price": rupee(it.average),
        "buy_quantity": it.buy_units,
        "depth": {"buy": _levels(it.bids), "sell": _levels(it.asks)},
        "last_price": rupee(it.last),
        "last_quantity": it.last_units,
        "last_trade_time": traded,
        "lower_circuit_limit": rupee(band[0]),
        "net_change": rupee(change),
        "ohlc": _range(it),
        "oi": it.interest,
        "oi_day_high": it.interest_high,
        "oi_day_low": it.interest_low,
        "sell_quantity": it.sell_units,
        "upper_circuit_limit": rupee(band[1]),
        "volume": it.volume,
    }


def _levels(rows: tuple[Level, ...]) -> list[dict[str, Any]]:
    padded = [*rows[:LEVELS], *[Level(0, 0, 0)] * (LEVELS - len(rows))]
    return [
        {"quantity": row.units, "orders": row.orders, "price": rupee(row.price)} for row in padded
    ]
