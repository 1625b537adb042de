"""Table of the calls: method, path, rate limit class, name for faults, function."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from strikeloom.exchange.server.api_call import ApiCall
from strikeloom.exchange.server.endpoints import (
    alert_orders,
    chain,
    charts,
    control,
    files,
    forever_orders,
    money,
    orders,
    portfolio,
    profit_exit,
    quotes,
    statements,
    super_orders,
)
from strikeloom.exchange.server.rate_limits import RateLimitClass
from strikeloom.exchange.server.responses import ApiResponse


class Style(StrEnum):
    """How a call words the refusal of a token or of a full window."""

    TRADING = "trading"
    DATA = "data"
    CHART = "chart"


@dataclass(frozen=True, slots=True)
class Route:
    """One call. ``pattern`` is of the path after ``/v2``."""

    method: str
    pattern: re.Pattern[str]
    kind: RateLimitClass
    name: str
    work: Callable[[ApiCall], ApiResponse]
    style: Style = Style.TRADING


_O, _D, _Q, _N = (
    RateLimitClass.ORDER,
    RateLimitClass.DATA,
    RateLimitClass.QUOTE,
    RateLimitClass.OTHER,
)
_ID = r"([0-9A-Za-z]+)"
_TEXT = r"([^/]+)"
_VERBS = ("GET", "POST", "PUT", "DELETE")

_Row = tuple[str, str, RateLimitClass, str, Callable[[ApiCall], ApiResponse]]


def _routes(style: Style, *rows: _Row) -> tuple[Route, ...]:
    return tuple(
        Route(verb, re.compile(path), kind, name, work, style)
        for verb, path, kind, name, work in rows
    )


ROUTES: tuple[Route, ...] = (
    *_routes(
        Style.TRADING,
        ("POST", "/orders", _O, "place", orders.place),
        ("POST", "/orders/slicing", _O, "place", orders.place_sliced),
        ("PUT", f"/orders/{_ID}", _O, "modify", orders.modify),
        ("DELETE", f"/orders/{_ID}", _O, "cancel", orders.cancel),
        ("GET", "/orders/?", _N, "book", orders.book),
        ("GET", f"/orders/{_ID}", _N, "book", orders.by_id),
        ("GET", f"/orders/external/{_TEXT}", _N, "book", orders.by_correlation),
        ("GET", "/trades/?", _N, "trades", statements.trades),
        ("GET", f"/trades/{_ID}", _N, "trades", statements.trades),
        ("GET", f"/trades/{_TEXT}/{_TEXT}/([0-9]{{1,6}})", _N, "trades", statements.history),
        ("GET", "/ledger", _N, "funds", statements.ledger),
        ("GET", "/positions", _N, "positions", portfolio.positions),
        ("DELETE", "/positions", _O, "cancel", portfolio.exit_all),
        ("POST", "/positions/convert", _O, "convert", portfolio.convert),
        ("GET", "/holdings", _N, "positions", portfolio.holdings),
        ("GET", "/fundlimit", _N, "funds", money.funds),
        ("POST", "/margincalculator", _N, "margin", money.single),
        ("POST", "/margincalculator/multi", _N, "margin", money.multi),
        ("GET", f"/instrument/{_TEXT}", _D, "instruments", files.segment_master),
        ("POST", "/killswitch", _N, "control", control.kill_switch),
        ("GET", "/killswitch", _N, "control", control.kill_switch_status),
        ("GET", "/RenewToken", _N, "login", control.renew),
        ("POST", "/RenewToken", _N, "login", control.renew),
        ("POST", "/ip/setIP", _N, "login", control.set_ip),
        ("PUT", "/ip/modifyIP", _N, "login", control.set_ip),
        ("GET", "/ip/getIP", _N, "login", control.get_ip),
        ("POST", "/super/orders", _O, "place", super_orders.place),
        ("GET", "/super/orders", _N, "book", super_orders.listed),
        ("PUT", f"/super/orders/{_ID}", _O, "modify", super_orders.modify),
        ("DELETE", f"/super/orders/{_ID}/{_TEXT}", _O, "cancel", super_orders.cancel),
        ("POST", "/forever/orders", _O, "place", forever_orders.place),
        ("GET", "/forever/orders", _N, "book", forever_orders.listed),
        ("PUT", f"/forever/orders/{_ID}", _O, "modify", forever_orders.modify),
        ("DELETE", f"/forever/orders/{_ID}", _O, "cancel", forever_orders.cancel),
        ("POST", "/alerts/orders", _O, "place", alert_orders.place),
        ("GET", "/alerts/orders", _N, "book", alert_orders.listed),
        ("GET", f"/alerts/orders/{_ID}", _N, "book", alert_orders.by_id),
        ("PUT", f"/alerts/orders/{_ID}", _O, "modify", alert_orders.modify),
        ("DELETE", f"/alerts/orders/{_ID}", _O, "cancel", alert_orders.cancel),
        ("POST", "/pnlExit", _N, "control", profit_exit.begin),
        ("GET", "/pnlExit", _N, "control", profit_exit.look),
        ("DELETE", "/pnlExit", _N, "control", profit_exit.stop),
        *((verb, "/edis/.*", _N, "control", control.depository) for verb in _VERBS),
    ),
    *_routes(
        Style.DATA,
        ("POST", "/marketfeed/ltp", _Q, "quotes", quotes.last_price),
        ("POST", "/marketfeed/ohlc", _Q, "quotes", quotes.ohlc),
        ("POST", "/marketfeed/quote", _Q, "quotes", quotes.quote),
        ("POST", "/optionchain", _D, "chain", chain.chain),
        ("POST", "/optionchain/expirylist", _D, "chain", chain.expiries),
    ),
    *_routes(
        Style.CHART,
        ("POST", "/charts/historical", _D, "charts", charts.daily),
        ("POST", "/charts/intraday", _D, "charts", charts.intraday),
        ("POST", "/charts/rollingoption", _D, "charts", charts.expired),
        ("GET", "/profile", _N, "login", control.profile),
    ),
)


def route_of(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """Route of a path after ``/v2`` and the parts it names; ``None`` when there is none."""
    for route in ROUTES:
        if route.method == method:
            match = route.pattern.fullmatch(path)
            if match:
                return route, match.groups()
    return None
