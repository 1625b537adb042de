"""Candles: past days from the stored history, today's minutes from the market."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from strikeloom.domain.instruments import (
    FUTURE_RIGHT,
    Contract,
    FutureContract,
    Instrument,
    OptionContract,
    Share,
)
from strikeloom.errors import MissingHistory
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.responses import ApiRefusal, ApiResponse, no_data_plan, refused
from strikeloom.exchange.server.wire_codes import is_id
from strikeloom.nse.edges import ending
from strikeloom.nse.sessions import IST

if TYPE_CHECKING:
    import pandas as pd

_INTERVALS = (1, 5, 15, 25, 60)
_MOST_DAYS = 90
_EMPTY = "System is unable to fetch data due to incorrect parameters or no data present"


def daily(call: ApiCall) -> ApiResponse:
    """One candle a day from ``fromDate`` to the day before ``toDate``."""
    target = _target(call)
    first, last = call.day("fromDate"), call.day("toDate") - timedelta(days=1)
    code = call.body.get("expiryCode", 0)
    if code not in (0, 1, 2, 3):
        raise bad_field("expiryCode", code)
    if last < first:
        raise bad_field("toDate", call.body.get("toDate"))
    rows = _past(call, target, first, last)
    today = call.now.date()
    if first <= today <= last and today not in {day for day, *_ in rows}:
        rows += _today(call, target)
    if not rows:
        raise refused("DH-907", _EMPTY)
    rows = [_settled(call, target, row) for row in rows]
    moments = [_midnight(day) for day, *_ in rows]
    return _response(call, moments, [row[1:] for row in rows])


def intraday(call: ApiCall) -> ApiResponse:
    """Candles of minutes between two moments of Indian time."""
    target = _target(call)
    interval = call.whole("interval", default=1)
    if interval not in _INTERVALS:
        raise bad_field("interval", interval)
    first, last = call.moment("fromDate"), call.moment("toDate")
    if "T" not in str(call.body["toDate"]) and " " not in str(call.body["toDate"]):
        last = datetime.combine(last.date(), time.max, IST)
    if last < first or (last - first).days > _MOST_DAYS:
        raise bad_field("toDate", call.body.get("toDate"))
    bars = call.exchange.bars(target, interval)
    kept = [(at, rest) for at, *rest in bars if first <= at <= last]
    if not kept:
        raise refused("DH-907", _EMPTY)
    return _response(call, [at for at, _ in kept], [tuple(rest) for _, rest in kept])


def expired(_call: ApiCall) -> ApiResponse:
    """Refuse: expired contracts are read from the workbench's own history."""
    raise refused("DH-907", _EMPTY)


Target = Instrument | str


def _target(call: ApiCall) -> Target:
    """Contract, or symbol of the underlying, that a call names."""
    if not call.client.data_plan:
        raise no_data_plan()
    segment, number = call.text("exchangeSegment"), call.text("securityId")
    call.text("instrument")
    if not is_id(number):
        # the broker answers this with an internal error, as recorded
        message = f'For input string: "{number[:40]}"'
        body = {
            "errorCode": "INTERNAL_SERVER_ERROR",
            "httpStatus": "INTERNAL_SERVER_ERROR",
            "internalErrorCode": "RS-9005",
            "internalErrorMessage": message,
        }
        raise ApiRefusal(message, ApiResponse(body, 500))
    found = call.exchange.target(segment, int(number))
    if found is None:
        raise refused("DH-907", _EMPTY)
    return found


def _symbol(target: Share | str) -> str:
    return target if isinstance(target, str) else target.symbol


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), IST)


Row = tuple[date, float, float, float, float, float, float]


def _past(call: ApiCall, target: Target, first: date, last: date) -> list[Row]:
    """Stored days whose session is over by the exchange's clock."""
    history = call.exchange.history
    if history is None:
        return []
    until = min(last, call.now.date())
    if call.now < ending(until):
        until -= timedelta(days=1)
    if isinstance(target, OptionContract | FutureContract):
        return _contract_days(call, target, first, until)
    symbol = _symbol(target)
    cash = history.cash(first, until, symbols=[symbol])
    frame = cash if len(cash) else history.indices(first, until, names=[symbol])
    frame = frame.dropna(subset=["open", "close"]).drop_duplicates("day").sort_values("day")
    volume = frame["volume"] if "volume" in frame else frame["close"] * 0
    return [
        (day.date(), o, h, low, c, v, 0.0)
        for day, o, h, low, c, v in zip(
            frame["day"], frame["open"], frame["high"], frame["low"], frame["close"], volume,
            strict=True,
        )
    ]  # fmt: skip


def _contract_days(call: ApiCall, target: Contract, first: date, last: date) -> list[Row]:
    history = call.exchange.history
    assert history is not None  # noqa: S101 (checked by the caller)
    rows: list[Row] = []
    for day in [day for day in history.days() if first <= day <= last]:
        try:
            frame = history.contracts(day, symbols=[target.symbol])
        except MissingHistory:
            continue
        row = _row_of(frame, target)
        if row is not None and row["traded"]:
            volume = float(row["lots_traded"] * row["lot_size"])
            prices = (float(row[name]) for name in ("open", "high", "low", "close"))
            rows.append((day, *prices, volume, float(row["open_interest"])))  # type: ignore[arg-type]
    return rows


def _row_of(frame: pd.DataFrame, target: Contract) -> pd.Series | None:
    strike, right = 0.0, FUTURE_RIGHT
    if isinstance(target, OptionContract):
        strike, right = target.strike / 100, target.right.value
    here = (
        (frame["expiry"].dt.date == target.expiry)
        & (frame["strike"] == strike)
        & (frame["right"] == right)
    )
    return frame[here].iloc[0] if here.any() else None


def _today(call: ApiCall, target: Target) -> list[Row]:
    """Today's candle so far, from its minutes."""
    today = call.now.date()
    bars = [bar for bar in call.exchange.bars(target, 60) if bar[0].date() == today]
    if not bars:
        return []
    high, low = max(bar[2] for bar in bars), min(bar[3] for bar in bars)
    volume, interest = sum(bar[5] for bar in bars), bars[-1][6]
    return [(today, bars[0][1], high, low, bars[-1][4], volume, interest)]


def _settled(call: ApiCall, target: Target, row: Row) -> Row:
    """Use the settlement value as the close of an underlying's day, once it is known."""
    if isinstance(target, OptionContract) or row[0] != call.now.date():
        return row
    market = call.exchange.market
    if isinstance(target, FutureContract):
        final = market.daily_settlement(target, row[0])
    else:
        final = market.settlement(_symbol(target), row[0])
    if final is None:
        return row
    close = final / 100
    return (row[0], row[1], max(row[2], close), min(row[3], close), close, *row[5:])


def _response(call: ApiCall, moments: list[datetime], rows: list[Any]) -> ApiResponse:
    names = ("open", "high", "low", "close", "volume", "open_interest")
    body: dict[str, Any] = {
        name: [float(row[at]) for row in rows] for at, name in enumerate(names[:5])
    }
    body["timestamp"] = [
        at.timestamp() for at in moments
    ]  # UTC, unlike the feed's time of the last trade
    if call.body.get("oi"):
        body["open_interest"] = [float(row[5]) for row in rows]
    return ApiResponse(body)
