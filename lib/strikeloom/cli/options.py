"""Options that several commands share, and the desk they open."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

#: Resources opened by the running command; ``main`` closes them when it ends.
AT_END = ExitStack()

_SATURDAY = 5

if TYPE_CHECKING:
    from datetime import date

    from strikeloom.ports.desk import Desk
    from strikeloom.ports.history import Past

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


def day_of(text: str, option: str = "--date") -> date:
    """Day of an option.

    Raises
    ------
    WrongUsage
        When the text is not a day.
    """
    from datetime import date

    from strikeloom.errors import WrongUsage

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUsage(f"{option} {text!r} is not a day; write YYYY-MM-DD") from None


def trading_day_of(text: str) -> date:
    """Day of an option on which the exchange traded.

    Raises
    ------
    WrongUsage
        When the text is not a day, or the day is before the first supported one or had no session.
    """
    from strikeloom.errors import WrongUsage
    from strikeloom.nse.sessions import FIRST_DAY, is_trading_day, previous_trading_day

    day = day_of(text)
    if day < FIRST_DAY:
        raise WrongUsage(f"{day} is before {FIRST_DAY}, the first supported day")
    if not is_trading_day(day):
        weekend = day.weekday() >= _SATURDAY
        what = f"a {day:%A}" if weekend else f"a holiday of the exchange ({day:%A})"
        before = previous_trading_day(day)
        raise WrongUsage(f"{day} is {what}; the last trading day before it is {before}")
    return day


def symbol_on(past: Past, name: str) -> str:
    """Symbol on a view's day of a name; a rename between the two is printed."""
    from strikeloom.cli import console

    found = past.known_as(name)
    if found.note:
        console.note(found.note)
    return found.symbol


def desk_of(market: str, day: str = "", *, mode: str = "", pace: float = 0.0) -> Desk:
    """Open the desk of the options; it is closed when the command ends."""
    from strikeloom.desk import open_desk

    if day:
        day_of(day)
    return AT_END.enter_context(open_desk(market, day, mode=mode, pace=pace))
