"""Options that several commands share, and the desk they open."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

#: Resources opened by the running command; ``main`` closes them when it ends.
AT_END = ExitStack()

if TYPE_CHECKING:
    from strikeloom.ports.desk import Desk

Market = Annotated[
    str,
    typer.Option(
        help="nse, synthetic or synthetic-SEED; default: nse when its files are imported, else "
        "synthetic.",
        show_default=False,
    ),
]
Day = Annotated[
    str, typer.Option("--date", help="Trade date, YYYY-MM-DD; default: the last stored day.",
                      show_default=False),
]  # fmt: skip
Mode = Annotated[
    str,
    typer.Option(
        help="replay, simulate, paper, alert or live; default: STRIKELOOM_MODE, else "
        "config/desk.yaml.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


def desk_of(market: str, day: str = "", *, mode: str = "", pace: float = 0.0) -> Desk:
    """Open the desk of the options; it is closed when the command ends."""
    from strikeloom.desk import open_desk

    return AT_END.enter_context(open_desk(market, day, mode=mode, pace=pace))
