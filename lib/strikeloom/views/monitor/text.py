"""HTML of the page's parts, from the board. Every text is escaped."""

from __future__ import annotations

from datetime import datetime
from html import escape

from strikeloom.domain.money import rupees_text
from strikeloom.domain.positions import ExitRequest, MarkedPosition, PositionLeg
from strikeloom.monitor.board import Board, BoardRow


def money(amount: int | None) -> str:
    """Signed rupees in green or red; a missing amount is named."""
    if amount is None:
        return '<span class="tag bad">no price</span>'
    tone = "gain" if amount > 0 else "loss" if amount < 0 else ""
    return f'<span class="{tone}">{rupees_text(amount, decimals=0, signed=True)}</span>'


def header(board: Board, real_now: datetime, late_after: float) -> str:
    """Account, time, totals, watcher and kill switch."""
    beat = board.heartbeat
    if beat is None:
        life = '<span class="tag bad">watcher has never run; start strikeloom watch</span>'
    else:
        age = max(0.0, (real_now - beat.real_at).total_seconds())
        if age > late_after:
            life = f'<span class="tag bad">watcher not running, last seen {_span(age)} ago</span>'
        else:
            life = f'<span class="tag good">watcher alive</span> {escape(beat.note)}'
    switch = board.kill_switch
    kill = ""
    if switch.engaged:
        kill = f'<span class="tag bad">KILL SWITCH: {escape(switch.reason)}</span>'
    return f"""<div class="sl"><div class="head">
<h1>Strikeloom monitor</h1>
<span class="quiet">{escape(board.account)} &middot; {board.at:%d %b %Y %H:%M:%S}</span>
<span>{life}</span> {kill}</div>
<div class="head" style="margin-top:8px">
<span><span class="quiet">open P&amp;L</span> <span class="big">{money(board.open_pnl)}</span>
</span>
<span><span class="quiet">closed P&amp;L</span> <span class="big">{money(board.closed_pnl)}</span>
</span>
<span class="quiet">{len(board.rows)} open, {len(board.closed)} closed</span></div></div>"""


def card(row: BoardRow) -> str:
    """One open position: legs, P&L, price age, nearest rule, latest request."""
    position = row.marked.position
    legs = "".join(
        f"<tr><td>{'sold' if leg.net_lots < 0 else 'bought'}</td>"
        f'<td class="num">{abs(leg.net_lots)} &times; {leg.contract.lot_size}</td>'
        f"<td>{escape(leg.contract.label)}</td><td class='num'>{_price(row.marked, leg)}</td></tr>"
        for leg in position.legs
        if leg.net_units
    )
    name = position.template.replace("_", " ")
    return f"""<div class="sl" data-position="{escape(position.position_id)}">
<div class="head"><b>{escape(position.symbol)}</b> <span>{escape(name)}</span>
<span class="big">{money(row.marked.pnl)}</span>
<span class="quiet">{_age(row.marked)}</span>
<span class="quiet">{escape(position.position_id)}</span></div>
<table>{legs}</table>{_nearest(row)}{_request(row.request)}</div>"""


def closed_list(board: Board) -> str:
    """Closed positions, one line each."""
    if not board.closed:
        return '<div class="sl quiet">Nothing closed yet.</div>'
    lines = "".join(
        f'<tr data-closed="{escape(m.position.position_id)}"><td>{escape(m.position.symbol)}</td>'
        f"<td>{escape(m.position.template.replace('_', ' '))}</td>"
        f"<td class='num'>{money(m.pnl)}</td>"
        f"<td class='quiet'>{escape(m.position.position_id)}</td></tr>"
        for m in board.closed
    )
    return f'<div class="sl"><b>Closed</b><table>{lines}</table></div>'


def alerts_list(board: Board) -> str:
    """Latest alerts."""
    lines = "".join(
        f'<div><span class="tag {"bad" if alert.level != "info" else ""}">{escape(alert.level)}'
        f"</span> {alert.at:%d %b %H:%M} {escape(alert.text)}</div>"
        for alert in board.alerts
    )
    return f'<div class="sl">{lines}</div>' if lines else ""


def _price(marked: MarkedPosition, leg: PositionLeg) -> str:
    mark = marked.marks.get(leg.contract.key)
    if mark is None:
        return '<span class="tag bad">no price</span>'
    return f"{mark.price / 100:,.2f} <span class='quiet'>{mark.how.value}</span>"


def _age(marked: MarkedPosition) -> str:
    age = marked.oldest_age
    if age is None:
        return "no price"
    sources = {mark.source.value for mark in marked.marks.values()}
    note = " (synthetic spread)" if "synthetic spread" in sources else ""
    return f"price {_span(max(0.0, age))} old{note}"


def _nearest(row: BoardRow) -> str:
    nearest = row.nearest
    if nearest is None:
        return '<div class="quiet">no rule has looked at it yet</div>'
    share = round(100 * nearest.closeness)
    return (
        f'<div><span class="quiet">nearest rule</span> {escape(nearest.rule)}: '
        f'{escape(nearest.sentence)}<div class="bar"><i style="width:{share}%"></i></div></div>'
    )


def _request(request: ExitRequest | None) -> str:
    if request is None:
        return ""
    share = f"{request.percent} %" if request.percent else "a leg"
    return (
        f'<div><span class="tag">{escape(request.state.value)}</span> exit of {share} asked by '
        f"{escape(request.who)}. {escape(request.note)}</div>"
    )


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"
