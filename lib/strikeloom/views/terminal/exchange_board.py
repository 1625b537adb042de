"""Orders of a local exchange as terminal lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from strikeloom.domain.money import rupees
from strikeloom.exchange.orders.order import BookOrder
from strikeloom.views.terminal.aligned import aligned

_COLUMNS = (
    "time", "client", "order>", "contract", "side", "units>", "filled>", "price>", "state", "why",
)  # fmt: skip
_SHOWN = 12


def exchange_board(
    now: datetime, orders: Sequence[tuple[str, BookOrder]], counts: dict[str, object]
) -> Text:
    """Lines with the latest orders, newest first, and the counts of connections.

    Parameters
    ----------
    orders : sequence of tuple
        Client id and order, in any order.
    """
    latest = sorted(orders, key=lambda row: (row[1].updated_at, row[1].number), reverse=True)
    summary = "  ".join(f"{name.replace('_', ' ')} {value}" for name, value in counts.items())
    lines = [Text(f"{now:%Y-%m-%d %H:%M:%S}  {len(orders)} orders  {summary}", style="dim")]
    if not latest:
        lines.append(Text("no order yet"))
        return Text("\n").join(lines)
    head, *rows = aligned(_COLUMNS, [_cells(*row) for row in latest[:_SHOWN]])
    lines.append(Text(head, style="bold"))
    lines += [
        Text(text, style="red" if order.state.value == "REJECTED" else "")
        for text, (_, order) in zip(rows, latest, strict=False)
    ]
    return Text("\n").join(lines)


def _cells(client: str, order: BookOrder) -> tuple[object, ...]:
    return (
        f"{order.updated_at:%H:%M:%S}",
        client,
        order.number,
        order.instrument.label,
        order.side.name,
        order.units,
        order.filled,
        f"{rupees(order.limit):.2f}",
        order.state.value,
        order.reason[:48],
    )
