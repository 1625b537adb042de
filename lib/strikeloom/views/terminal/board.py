"""Positions as terminal lines, and as plain data for a script."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from strikeloom.domain.counted import counted
from strikeloom.domain.instruments import OptionContract
from strikeloom.domain.money import rupees_text
from strikeloom.domain.position_leg import PositionLeg
from strikeloom.domain.quantities import quantity
from strikeloom.monitor import Board
from strikeloom.monitor.board import BoardRow
from strikeloom.views.marked import days_left, limits
from strikeloom.views.terminal.aligned import aligned

_COLUMNS = ("id", "symbol", "strategy", "P&L>", "price age>", "nearest rule")


def board_view(board: Board, *, detailed: bool = False) -> Text:
    """Lines of the board; ``detailed`` adds open legs, the nearest rule and the last request."""
    beat = board.heartbeat
    life = f"watcher last seen {beat.real_at:%H:%M:%S}" if beat else "no watcher has run"
    lines = [Text(f"{board.account}  {board.at:%Y-%m-%d %H:%M}  {life}", style="dim")]
    if board.kill_switch.engaged:
        lines.append(Text(f"KILL SWITCH: {board.kill_switch.reason}", style="bold red"))
    if board.rows:
        head, *rows = aligned(_COLUMNS, [_cells(row) for row in board.rows])
        lines.append(Text(head, style="bold"))
        for row, text in zip(board.rows, rows, strict=True):
            lines.append(Text(text, style=_tone(row.marked.pnl)))
            if detailed:
                lines += [Text(f"    {line}", style="dim") for line in _details(row)]
    else:
        lines.append(Text("no position is open"))
    total = "unknown, a leg has no price" if board.open_pnl is None else _money(board.open_pnl)
    closed = f"closed P&L {_money(board.closed_pnl)} ({len(board.closed)} closed)"
    lines.append(Text(f"open P&L {total}, {closed}"))
    lines += [Text(text, style="yellow") for text in board.owed]
    lines += [Text(f"{alert.level}: {alert.text}", style="yellow") for alert in board.alerts]
    return Text("\n").join(lines)


def board_json(board: Board) -> dict[str, Any]:
    """Return the board as plain data; money in paise."""
    return {
        "account": board.account,
        "market": board.market,
        "at": board.at,
        "kill_switch": board.kill_switch.engaged,
        "open_pnl": board.open_pnl,
        "closed_pnl": board.closed_pnl,
        "open": [_plain(row) for row in board.rows],
        "closed": [_plain(row) for row in board.closed],
        "owed": board.owed,
    }


def _cells(row: BoardRow) -> tuple[object, ...]:
    position, nearest, age = row.marked.position, row.nearest, row.marked.oldest_age
    return (
        position.position_id,
        position.symbol,
        position.template.replace("_", " "),
        "no price" if row.marked.pnl is None else _money(row.marked.pnl),
        None if age is None else f"{age:.0f} s",
        None if nearest is None else f"{nearest.rule} {nearest.closeness:.0%}",
    )


def _details(row: BoardRow) -> list[str]:
    legs = row.marked.position.legs
    lines = [f"leg {leg.leg}: {_holding(leg)}" for leg in legs if leg.net_units]
    lines += [
        f"dividends of {rupees_text(leg.dividends)} of {leg.instrument.symbol} went to the bank "
        "account, in no P&L"
        for leg in legs
        if leg.dividends
    ]
    lines.append(f"{days_left(row.marked)}; {limits(row.marked)}")
    if row.nearest is not None:
        lines.append(row.nearest.sentence)
    shares = [f"{share} %" for share, why_not in row.exits.items() if not why_not]
    lines.append(f"can exit {', '.join(shares)}" if shares else "cannot exit now")
    if row.request is not None:
        lines.append(f"request {row.request.request_id}: {row.request.state} {row.request.note}")
    return lines


def _holding(leg: PositionLeg) -> str:
    """What a leg holds: signed shares, lots of a future, or lots of an option and their size."""
    if not isinstance(leg.instrument, OptionContract):
        text = quantity(leg.instrument, leg.net_units, signed=True)
        return f"{text}, lacking for a delivery" if leg.is_owed else text
    lots = counted(leg.net_lots, "lot", signed=True)
    odd = f"and {leg.odd_units:+d} units of no whole lot " if leg.odd_units else ""
    return f"{lots} of {leg.instrument.lot_size} {odd}{leg.instrument.label}"


def _plain(row: BoardRow) -> dict[str, Any]:
    position = row.marked.position
    return {
        "id": position.position_id,
        "symbol": position.symbol,
        "template": position.template,
        "revision": position.revision,
        "pnl": row.marked.pnl,
        "missing": list(row.marked.missing),
        "days_left": row.marked.days_left,
        "legs": [
            {
                "contract": leg.instrument.key,
                "lots": leg.net_lots,
                "first_lots": leg.first_lots,
                "lot_size": leg.instrument.lot_size,
                "odd_units": leg.odd_units,
                "dividends": leg.dividends,
                "last_day": row.marked.last_days.get(leg.leg),
            }
            for leg in position.legs
        ],
    }


def _money(amount: int) -> str:
    return rupees_text(amount, decimals=0, signed=True)


def _tone(pnl: int | None) -> str:
    if pnl is None:
        return "red"
    return "green" if pnl > 0 else "red" if pnl < 0 else ""
