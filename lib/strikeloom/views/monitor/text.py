"""HTML of the page's parts, from the board. Every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

from strikeloom.domain.instruments import Instrument, Share
from strikeloom.domain.money import rupees_text
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.positions import (
    ExitDecision,
    ExitRequest,
    MarkedPosition,
    Position,
    RequestState,
)
from strikeloom.domain.quantities import quantity
from strikeloom.domain.quotes import QuoteSource
from strikeloom.monitor.board import Board, BoardRow
from strikeloom.ports.store import KillSwitch
from strikeloom.settings.exit_registry import urgency_of
from strikeloom.views.format import MISSING, plain, span
from strikeloom.views.marked import days_left, limits
from strikeloom.views.monitor.pulse import Pulse

_STATES = {
    RequestState.PENDING: "asked",
    RequestState.ACCEPTED: "orders out",
    RequestState.DONE: "done",
    RequestState.STALE: "out of date",
    RequestState.REFUSED: "refused",
}


def money(amount: int | None) -> str:
    """Signed whole rupees, coloured; a missing amount is named."""
    if amount is None:
        return f'<span class="none">{MISSING}</span>'
    tone = "gain" if amount > 0 else "loss" if amount < 0 else ""
    return f'<span class="{tone}">{rupees_text(amount, decimals=0, signed=True)}</span>'


def header(board: Board, pulse: Pulse, tick: int) -> str:
    """Account, time, watcher, kill switch and totals.

    ``tick`` changes with every refresh; the browser checks by it that the page is alive.
    """
    tone = "good" if pulse.running else "bad"
    count = len(board.rows)
    unpriced = f"{board.unpriced} without a price" if board.unpriced else "all priced"
    shown = "" if count else " quiet"
    return f"""<div class="sl" data-tick="{tick}"><div class="top"><h1>Strikeloom</h1>
<span class="who quiet">{escape(board.account)} &middot; {board.at:%a %d %b %Y, %H:%M:%S}
&middot; {"entries blocked" if board.kill_switch.engaged else "entries allowed"}</span>
<span class="pill {tone}" data-watcher="{"running" if pulse.running else "silent"}"
 >{escape(pulse.sentence)}</span></div>{_switch(board.kill_switch)}{_owed(board.owed)}
<div class="tiles">
<div class="tile"><span class="quiet small">Open P&amp;L, charges taken off</span>
<b>{money(board.open_pnl)}</b></div>
<div class="tile"><span class="quiet small">Closed P&amp;L</span>
<b>{money(board.closed_pnl)}</b></div>
<div class="tile"><span class="quiet small">Open positions</span><b>{count}</b></div>
<div class="tile"><span class="quiet small">Prices</span>
<b class="{"none" if board.unpriced else shown}">{unpriced if count else "none needed"}</b></div>
</div></div>"""


def _switch(switch: KillSwitch) -> str:
    if not switch.engaged:
        return ""
    what = "Exiting every position, entries are blocked" if switch.flatten else "Entries blocked"
    since = f" since {switch.at:%d %b %H:%M}" if switch.at else ""
    return (
        f'<div class="banner" data-kill="engaged">{what}{since}: {escape(switch.reason)} '
        '<span class="quiet">Release it with: strikeloom resume --reason WHY</span></div>'
    )


def _owed(sentences: Sequence[str]) -> str:
    """Shares that are owed after a delivery, each with what ends it."""
    return "".join(f'<div class="banner" data-owed>{escape(text)}</div>' for text in sentences)


def card(row: BoardRow) -> str:
    """One open position: name, P&L and legs."""
    position, marked = row.marked.position, row.marked
    legs = "".join(_leg(marked, leg) for leg in position.legs)
    left = escape(days_left(marked))
    return f"""<div class="sl" data-position="{escape(position.position_id)}"
 data-revision="{position.revision}"><div class="name"><b>{escape(position.symbol)}</b>
<span>{escape(plain(position.template))}</span>
<span class="quiet small">{escape(position.position_id)} &middot; {left}</span>
<span class="value">{money(marked.pnl)}</span></div>
<table class="legs"><tr><th class="w">Leg</th><th></th><th class="num">Lots</th>
<th class="num">Entry</th><th class="num">Now</th></tr>{legs}</table>
<div class="quiet small">{_age(marked)}{_limits(marked)}{_dividends(position)}</div></div>"""


def _leg(marked: MarkedPosition, leg: PositionLeg) -> str:
    instrument = leg.instrument
    if not leg.net_units:
        return (
            f'<tr class="quiet"><td></td><td>{escape(_name(instrument))}</td>'
            '<td class="num">closed</td><td></td><td></td></tr>'
        )
    mark = marked.marks.get(instrument.key)
    now = f'<span class="none">{MISSING}</span>' if mark is None else f"{mark.price / 100:,.2f}"
    side, word = ("buy", "BUY") if leg.net_units > 0 else ("sell", "SELL")
    word = "OWED" if leg.is_owed else word
    return (
        f'<tr><td><span class="side {side}">{word}</span></td><td>{escape(_what(leg))}</td>'
        f'<td class="num">{_lots(leg)}</td>'
        f'<td class="num">{leg.open_value / leg.net_units / 100:,.2f}</td>'
        f'<td class="num">{now}</td></tr>'
    )


def _what(leg: PositionLeg) -> str:
    """Shares with their number, as they have no lots; a contract by its name."""
    if isinstance(leg.instrument, Share):
        return quantity(leg.instrument, leg.net_units)
    return _name(leg.instrument)


def _lots(leg: PositionLeg) -> str:
    """Lots and their size, as HTML; empty for shares."""
    if isinstance(leg.instrument, Share):
        return ""
    odd = f" + {abs(leg.odd_units)}" if leg.odd_units else ""
    size = f'<span class="quiet lotsize"> &times; {leg.instrument.lot_size}{odd}</span>'
    return f"{abs(leg.net_lots)}{size}"


def _name(instrument: Instrument) -> str:
    """Instrument without its symbol, which the card's header shows."""
    return instrument.label.removeprefix(instrument.symbol).strip()


def _age(marked: MarkedPosition) -> str:
    """Source of the prices and age of the oldest; contracts without a price are named."""
    if marked.missing:
        return f'<span class="none">No price for {escape(", ".join(marked.missing))}</span>'
    age = marked.oldest_age
    if age is None:
        return "No price needed"
    how = {mark.how.value for mark in marked.marks.values()}
    made = any(m.source is QuoteSource.SYNTHETIC_SPREAD for m in marked.marks.values())
    note = ", synthetic spread" if made else ""
    return f"Prices: {' and '.join(sorted(how))}, {span(age)} old{note}"


def _limits(marked: MarkedPosition) -> str:
    return f" &middot; {escape(limits(marked))}"


def _dividends(position: Position) -> str:
    """What its shares are known to have paid outside the account; empty for nothing."""
    paid = sum(leg.dividends for leg in position.legs)
    if not paid:
        return ""
    return f" &middot; dividends of {rupees_text(paid)} went to the bank account, in no P&amp;L"


def rule(nearest: ExitDecision | None) -> str:
    """The rule nearest to firing, with a bar that is full when it fires.

    The bar's colour shows how urgent the exit is then.
    """
    if nearest is None:
        return '<div class="sl rule quiet">No rule has judged it yet</div>'
    share = round(100 * nearest.closeness)
    urgency = urgency_of(nearest.rule)
    tone = urgency.name.lower() if urgency else ""
    return (
        f'<div class="sl rule"><b>{escape(plain(nearest.rule))}</b> '
        f'<span class="quiet">nearest, {share} % there</span>'
        f'<div class="bar {tone}"><i style="width:{share}%"></i></div>'
        f'<span class="quiet">{escape(nearest.sentence)}</span></div>'
    )


def request_line(request: ExitRequest | None, pulse: Pulse) -> str:
    """The latest request and what became of it."""
    if request is None:
        return ""
    share = f"{request.percent} %" if request.percent else "one leg"
    note = request.note
    if request.state is RequestState.PENDING and not pulse.running:
        note = "nothing happens until the watcher runs"
    return (
        f'<span data-request="{request.state.value}"><span class="state {request.state.value}">'
        f"{_STATES[request.state]}</span> exit of {share} at {request.at:%H:%M}"
        f"{': ' + escape(note) if note else ''}</span>"
    )


def status(text: str) -> str:
    """The line under the buttons; ``text`` is HTML."""
    return f'<div class="sl status">{text}</div>'


def closed_list(board: Board, pulse: Pulse) -> str:
    """Closed positions, newest first, one line each."""
    if not board.closed:
        return ""
    lines = "".join(
        f'<div data-closed="{escape(row.marked.position.position_id)}"><span>'
        f"<b>{escape(row.marked.position.symbol)}</b> "
        f"{escape(plain(row.marked.position.template))}</span>"
        f'<span class="quiet note">{escape(plain(row.ended))} '
        f"{request_line(row.request, pulse)}</span>"
        f'<span class="num">{money(row.marked.pnl)}</span></div>'
        for row in reversed(board.closed)
    )
    return f'<div class="sl"><h2>Closed</h2><div class="list">{lines}</div></div>'


def alerts_list(board: Board) -> str:
    """Latest alerts."""
    if not board.alerts:
        return ""
    lines = "".join(
        f'<div><span class="quiet">{alert.at:%d %b %H:%M}</span>'
        f'<span class="{"loss" if alert.level == "critical" else ""}">{escape(alert.text)}</span>'
        "</div>"
        for alert in board.alerts
    )
    return f'<div class="sl"><h2>Alerts</h2><div class="list alerts">{lines}</div></div>'


def empty(at: datetime) -> str:
    """Text shown when there are no positions."""
    return (
        f'<div class="sl"><div class="empty">No open positions at {at:%H:%M}. Strategies marked '
        "with strikeloom mark become positions with strikeloom run execution.</div></div>"
    )


def failure(text: str) -> str:
    """Banner shown when the board cannot be read."""
    return f'<div class="sl"><div class="banner" data-failure>{escape(text)}</div></div>'
