"""Positions as a table, and as plain data for a script."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from strikeloom.domain.money import rupees_text
from strikeloom.domain.positions import MarkedPosition
from strikeloom.monitor import Board
from strikeloom.monitor.board import BoardRow


def board_view(board: Board, *, detailed: bool = False) -> Group:
    """Table of the board; ``detailed`` adds legs, the nearest rule and the last request."""
    beat = board.heartbeat
    life = f"watcher last seen {beat.real_at:%H:%M:%S}" if beat else "no watcher has run"
    head = Text(f"{board.account}  {board.at:%Y-%m-%d %H:%M}  {life}", style="dim")
    parts: list[Any] = [head]
    if board.kill_switch.engaged:
        parts.append(Text(f"KILL SWITCH: {board.kill_switch.reason}", style="bold red"))
    if board.rows:
        parts.append(_table(board, detailed=detailed))
    else:
        parts.append(Text("no position is open"))
    total = "unknown: a leg has no price" if board.open_pnl is None else _signed(board.open_pnl)
    parts.append(
        Text(f"open P&L {total}, closed P&L {_signed(board.closed_pnl)} "
             f"({len(board.closed)} closed)")
    )  # fmt: skip
    parts += [Text(f"{alert.level}: {alert.text}", style="yellow") for alert in board.alerts]
    return Group(*parts)


def board_json(board: Board) -> dict[str, Any]:
    """Return the board as plain data; money in paise."""
    return {
        "account": board.account,
        "market": board.market,
        "at": board.at,
        "kill_switch": board.kill_switch.engaged,
        "open_pnl": board.open_pnl,
        "closed_pnl": board.closed_pnl,
        "open": [_plain(row.marked) for row in board.rows],
        "closed": [_plain(marked) for marked in board.closed],
    }


def _table(board: Board, *, detailed: bool) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("id", "symbol", "strategy"):
        table.add_column(name, no_wrap=True)
    for name in ("P&L", "price age"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("nearest rule")
    for row in board.rows:
        position, nearest = row.marked.position, row.nearest
        age = row.marked.oldest_age
        table.add_row(
            position.position_id,
            position.symbol,
            position.template.replace("_", " "),
            Text("no price", style="red") if row.marked.pnl is None else _signed(row.marked.pnl),
            "" if age is None else f"{age:.0f} s",
            "" if nearest is None else f"{nearest.rule} {nearest.closeness:.0%}",
        )
        if detailed:
            for line in _details(row):
                table.add_row("", "", Text(line, style="dim"))
    return table


def _details(row: BoardRow) -> list[str]:
    lines = [
        f"{leg.leg}: {leg.net_lots:+d} x {leg.contract.lot_size} {leg.contract.label}"
        for leg in row.marked.position.legs
    ]
    if row.nearest is not None:
        lines.append(row.nearest.sentence)
    open_shares = [f"{share} %" for share, why_not in row.exits.items() if not why_not]
    lines.append(f"can leave {', '.join(open_shares)}" if open_shares else "cannot leave now")
    if row.request is not None:
        lines.append(f"request {row.request.request_id}: {row.request.state} {row.request.note}")
    return lines


def _plain(marked: MarkedPosition) -> dict[str, Any]:
    position = marked.position
    return {
        "id": position.position_id,
        "symbol": position.symbol,
        "template": position.template,
        "revision": position.revision,
        "pnl": marked.pnl,
        "missing": list(marked.missing),
        "legs": [
            {
                "contract": leg.contract.key,
                "lots": leg.net_lots,
                "first_lots": leg.first_lots,
                "lot_size": leg.contract.lot_size,
            }
            for leg in position.legs
        ],
    }


def _signed(amount: int) -> Text:
    style = "green" if amount > 0 else "red" if amount < 0 else ""
    return Text(rupees_text(amount, decimals=0, signed=True), style=style)
