"""``data step``: price steps that may be no move, and a person's answer about one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from strikeloom.cli.options import Json, day_of

if TYPE_CHECKING:
    from strikeloom.adapters.parquet.history import ParquetHistory
    from strikeloom.nse.stated_steps import StatedStep

_LONGEST = timedelta(days=15)  # without a session
_LEFT = 0.6, 1.6  # open over the last close after an action; a fall of 20 % is the most on record


def step(
    symbol: Annotated[str, typer.Argument(help="Share.", show_default=False)] = "",
    day: Annotated[
        str, typer.Option("--date", help="Session after the night.", show_default=False)
    ] = "",
    real: Annotated[bool, typer.Option("--real", help="It was a move of the market.")] = False,
    ratio: Annotated[
        float | None,
        typer.Option(help="Shares that replaced one (5 for a split 5:1).", show_default=False),
    ] = None,
    amount: Annotated[
        float | None,
        typer.Option(
            help="Rupees a share that left it: a demerged part, a dividend, a right.",
            show_default=False,
        ),
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Take back what was stated.")
    ] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """State what an overnight price step was; without a symbol, list those to ask about.

    Such a night is left out of realised volatility and flagged until it is answered. An answer is
    recorded with its time in [bold]stated_steps.json[/bold] of the history, and makes the days due
    again that it changes.

    Example: strikeloom data step HINDUNILVR --date 2025-12-05 --amount 40.20
    """
    from strikeloom.adapters.system_clock import SystemClock
    from strikeloom.cli import console
    from strikeloom.desk.markets import EXCHANGE, open_history
    from strikeloom.desk.places import places
    from strikeloom.errors import WrongUsage
    from strikeloom.nse.stated_steps import StatedStep

    where = places()
    history: ParquetHistory = open_history(EXCHANGE, where)
    if not symbol:
        _list(history, as_json)
        return
    answers = [real, ratio is not None, amount is not None, forget]
    if not day or sum(answers) != 1:
        raise WrongUsage("give --date, and one of --real, --ratio, --amount and --forget")
    of = day_of(day)
    name = _name_then(history, symbol.upper(), of)
    if forget:
        if not any((item.symbol, item.day) == (name, of) for item in history.stated()):
            raise WrongUsage(f"nothing was stated about {name} on {of}")
        history.state_step(name, of, None)
        console.print_line(f"{name}, {of}: nothing is stated any more")
        return
    stated_at = f"{SystemClock().now():%Y-%m-%d %H:%M}"
    last, opened = _night(history, name, of)
    answer = StatedStep(name, of, ratio, amount, last, stated_at)
    _check_left(answer, opened)
    history.state_step(name, of, answer)
    console.print_line(str(answer))
    console.note("strikeloom run iv-history works the days out again that this changes")


def warn_of_steps(history: ParquetHistory) -> None:
    """Name the number of steps that no person has stated anything about."""
    from strikeloom.cli import console
    from strikeloom.domain.counted import counted

    asked = [item for item in history.actions(date.min, date.max) if item.asked]
    if asked:
        console.warn(
            f"{counted(len(asked), 'price step')} may be no move of the market: list them with "
            "strikeloom data step, and state what each was"
        )


def _list(history: ParquetHistory, as_json: bool) -> None:
    from strikeloom.cli import console

    steps = [item for item in history.actions(date.min, date.max) if item.breaks]
    stated = history.stated()
    if as_json:
        rows = [{"symbol": i.symbol, "date": i.day, "kind": i.kind, "seen": i.evidence}
                for i in steps]  # fmt: skip
        answers = [{"symbol": i.symbol, "date": i.day, "real": i.real, "ratio": i.ratio,
                 "amount": i.amount, "stated_at": i.stated_at} for i in stated]  # fmt: skip
        console.as_json({"steps": rows, "stated": answers})
        return
    console.table(
        "nights without a value, left out of realised volatility",
        ["symbol", "date", "kind", "seen"],
        [(item.symbol, item.day, item.kind, item.evidence) for item in steps],
    )
    for item in stated:
        console.print_line(str(item))


def _name_then(history: ParquetHistory, symbol: str, day: date) -> str:
    """Symbol that a share had on a day."""
    later = [item for item in history.actions(day, date.max) if item.successor]
    for item in sorted(later, key=lambda each: each.day, reverse=True):
        symbol = item.symbol if item.successor == symbol and item.day > day else symbol
    return symbol


def _night(history: ParquetHistory, symbol: str, day: date) -> tuple[float, float]:
    """Last close before a session and its open, rupees.

    Raises
    ------
    MissingHistory
        When no cash price of the session, or of one before it, is stored.
    """
    from strikeloom.errors import MissingHistory

    rows = history.cash(day - _LONGEST, day, symbols=[symbol]).sort_values("day")
    if len(rows) < 2 or rows["day"].iloc[-1].date() != day:
        raise MissingHistory(
            f"no cash prices of {symbol} on {day} and the session before are stored; import them "
            "with strikeloom data import PATH",
            symbol=symbol,
        )
    return float(rows["close"].iloc[-2]), float(rows["open"].iloc[-1])


def _check_left(answer: StatedStep, opened: float) -> None:
    """Refuse a value after which a large step is left, as of a split that is none.

    Raises
    ------
    WrongUsage
        Names both prices and the step that the value leaves.
    """
    from strikeloom.errors import WrongUsage

    if answer.real:
        return
    before = answer.reference / (answer.ratio or 1.0) - (answer.amount or 0.0)
    left = opened / before
    if not _LEFT[0] <= left <= _LEFT[1]:
        given = f"ratio {answer.ratio:g}" if answer.ratio else f"amount {answer.amount:g}"
        raise WrongUsage(
            f"{given} makes {answer.reference:.2f}, the last close of {answer.symbol}, "
            f"{before:.2f}, but {answer.day} opened at {opened:.2f}: a step of "
            f"{100 * (left - 1):+z.0f} % is left"
        )
