"""``iv``: a symbol's volatility by day, and its percentile in its own history."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from strikeloom.cli.options import Json, Market, day_of, desk_of, symbol_on
from strikeloom.domain.counted import counted

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from strikeloom.domain.volatility import IvRank, WindowRank
    from strikeloom.ports.desk import Desk

_YEAR = 252  # sessions
_WIDTH = 24
_DAYS = 60  # shown in a terminal
_SHOWN = 0.0005  # least effect of another pair of expiries that is shown
_NUMBERS = (
    "vix_method",
    "atm_iv_7d",
    "atm_iv_30d",
    "atm_iv_60d",
    "atm_iv_90d",
    "model_free_30d",
    "rr25_30d",
    "bf25_30d",
)
#: Why a number is missing on a day that has a 30-day volatility.
_NO_TENOR = "no expiry near enough"
_NO_WINGS = "no smile near 30 days with quotes out to 25 delta on both sides"
_MISSING = {
    "atm_iv_7d": _NO_TENOR,
    "atm_iv_60d": _NO_TENOR,
    "atm_iv_90d": _NO_TENOR,
    "model_free_30d": _NO_WINGS,
    "rr25_30d": _NO_WINGS,
    "bf25_30d": _NO_WINGS,
    "rv_cc_20": "fewer than 21 sessions of comparable prices up to the day",
}

#: Meaning of a remark such as ``flat_7d``, by its first part.
_LEGEND = {
    "flat": "no expiry is near enough to {} days ahead; that volatility is the nearest expiry's",
    "carried": "the volatility {} days ahead uses an expiry carried from peers",
}


_PAIR = (
    "other expiries than the day before lie around 30 days ahead; that alone moved the volatility "
    "by these points"
)


def iv(
    symbol: Annotated[str, typer.Argument(help="Underlying, for example NIFTY.")],
    first: Annotated[str, typer.Option("--from", help="First day.", show_default=False)] = "",
    to: Annotated[str, typer.Option("--to", help="Last day.", show_default=False)] = "",
    market: Market = "",
    as_json: Json = False,
) -> None:
    """Show a symbol's volatility history, and the last day's rank in it.

    Volatilities are at the money, 30 calendar days ahead. The days of a former name are shown
    with those of the present one; either leads to them. With --json one object a day, as
    fractions a year; a missing value is null, with its reason.

    Example: strikeloom iv NIFTY --from 2026-01-01
    """
    import pandas as pd

    from strikeloom.cli import console
    from strikeloom.iv_history.series import read_ranks

    since = day_of(first, "--from") if first else None
    if to:
        day_of(to, "--to")
    desk = desk_of(market, to)
    name = symbol_on(desk.history.as_of(desk.day), symbol)
    frame = _stored(desk, name, since)
    ranks = {rank.day: rank for rank in read_ranks(desk, name, first=since)}
    records = _records(desk, name, frame if as_json else frame.tail(_DAYS + 1))
    rows = [(row, ranks.get(pd.Timestamp(row["day"]).date())) for row in records]
    days = [_day(row, rank) for row, rank in rows]
    if as_json:
        console.as_json(days)
    else:
        _show(desk, name, rows, days)


def _stored(desk: Desk, name: str, since: date | None) -> pd.DataFrame:
    """Stored volatilities of a symbol.

    Raises
    ------
    MissingHistory, WrongUsage
        When there are none; names the remedy.
    """
    from strikeloom.errors import MissingHistory, WrongUsage
    from strikeloom.iv_history.series import read_history

    frame = read_history(desk, first=since)
    there = sorted(frame["symbol"].unique())
    frame = frame[frame["symbol"] == name]
    if len(frame):
        return frame
    if since and since > desk.day:
        raise WrongUsage(f"--from {since} is after the last stored day, {desk.day}")
    days = f"from {since} to {desk.day}" if since else f"up to {desk.day}"
    remedy = f"run strikeloom run iv-history --date {desk.day}"
    if there:
        shown = ", ".join(get_close_matches(name, there, 3) or there[:3])
        remedy = f"{len(there)} others have one, among them {shown}"
    what = f"no volatility of {name} {days} on market {desk.market}"
    raise MissingHistory(f"{what}; {remedy}", symbol=name)


def _show(
    desk: Desk,
    name: str,
    rows: list[tuple[dict[str, Any], IvRank | None]],
    days: list[dict[str, Any]],
) -> None:
    """Table of the last days, the terms of the last one, its ranks, and what remarks mean."""
    from strikeloom.cli import console
    from strikeloom.iv_history import price_steps

    top = max((day["atm_iv_30d"] or 0.0 for day in days), default=0.0)
    console.table(
        f"{name}: volatility 30 days ahead, % a year",
        ["day", "at the money>", "", "model free>", "VIX>", "25d skew>", "realised>", "rank>",
         "regime", "grade", "remarks"],
        [
            (d["date"], _percent(d["atm_iv_30d"]), _bar(d["atm_iv_30d"], top),
             _percent(d["model_free_30d"]), _percent(d["vix_method"]), _percent(d["rr25_30d"]),
             _percent(d["rv20"]), _whole(d["percentile"]), d["regime"] or "", d["quality"] or "",
             _remark(*pair))
            for d, pair in zip(days[-_DAYS:], rows[-_DAYS:], strict=True)
        ],
    )  # fmt: skip
    last = days[-1]
    terms = ", ".join(f"{n} d {_percent(last[f'atm_iv_{n}d']) or '-'}" for n in (7, 30, 60, 90))
    console.print_line(f"term     {terms}")
    for text in _rank_lines(rows[-1][1] if rows[-1][0]["day"].date() == desk.day else None):
        console.print_line(text)
    for number, text in _legend(days[-_DAYS:]):
        console.note(f"{number}: {text}")
    for text in price_steps(desk, name, days[-_DAYS:][0]["date"]):
        console.note(text)


def _records(desk: Desk, name: str, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries, with the effect of another pair of expiries as ``moved``."""
    from strikeloom.iv_history import moves_of

    records = [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
    moves = moves_of(desk, name, [row["day"].date() for row in records])
    return [{**row, "moved": moves.get(row["day"].date())} for row in records]


def _day(row: dict[str, Any], rank: IvRank | None) -> dict[str, Any]:
    """One day as a JSON object."""
    year = _window(rank, _YEAR)
    why = [row["reason"], *_absent(row)]
    if rank is None:
        why.append("not ranked yet")
    elif not math.isnan(row["atm_iv_30d"]):
        why.append(rank.reason)
        if year and year.missing:
            why.append(f"percentile_1y has {year.sample} of {year.needed} days needed")
    return {
        "date": row["day"].date(),
        **{name: _number(row[name]) for name in _NUMBERS},
        "rv20": _number(row["rv_cc_20"]),
        "percentile_1y": year.percentile if year else None,
        "sample_1y": year.sample if year else 0,
        "percentile": rank.percentile if rank else None,
        "window_sessions": rank.window_sessions if rank else None,
        "sample": rank.sample if rank else 0,
        "regime": rank.regime.value if rank and rank.regime else None,
        "quality": row["quality"] or None,
        "flags": row["flags"],
        "pair_moved_30d": None if row["moved"] is None else _number(row["moved"]),
        "reason": "; ".join(dict.fromkeys(filter(None, why))),
    }


def _remark(row: dict[str, Any], rank: IvRank | None) -> str:
    """Remarks on a day: why a number is missing, and its flags."""
    reason, moved = row["reason"] or (rank.reason if rank else ""), row["moved"]
    pair = f"pair {100 * moved:+z.1f}" if moved is not None and abs(moved) >= _SHOWN else ""
    return " ".join(filter(None, (reason, row["flags"], pair)))


def _absent(row: dict[str, Any]) -> list[str]:
    """Other missing numbers of a day, grouped by reason."""
    names: dict[str, list[str]] = {}
    for name, why in _MISSING.items():
        if math.isnan(row[name]):
            names.setdefault(why, []).append("rv20" if name == "rv_cc_20" else name)
    return [f"{', '.join(each)}: {why}" for why, each in names.items()]


def _window(rank: IvRank | None, sessions: int) -> WindowRank | None:
    return next((w for w in rank.windows if w.sessions == sessions), None) if rank else None


def _rank_lines(rank: IvRank | None) -> list[str]:
    if rank is None:
        return ["rank     none yet for the day"]
    if rank.percentile is None:
        return [f"rank     none: {rank.reason}"]
    lines = [
        f"rank     percentile {rank.percentile:.0f} of the last {rank.coverage}: {rank.regime}"
    ]
    for window in rank.windows:
        if window.missing:
            length = counted(window.sessions, "session")
            lines.append(f"         {length}: {window.sample} of {window.needed} days needed")
        elif window.sessions != rank.window_sessions:
            lines.append(f"         percentile {window.percentile:.0f} of {window.coverage}")
    return lines


def _legend(days: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Meaning of the remarks shown about other numbers of days ahead."""
    flags = {flag for day in days for flag in str(day["flags"]).split()}
    lines = []
    for flag in sorted(flags):
        kind, _, ahead = flag.partition("_")
        if kind in _LEGEND and ahead.rstrip("d").isdigit():
            lines.append((flag, _LEGEND[kind].format(ahead.rstrip("d"))))
    if any(abs(day.get("pair_moved_30d") or 0.0) >= _SHOWN for day in days):
        lines.append(("pair", _PAIR))
    return lines


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _bar(value: float | None, top: float) -> str:
    return "" if not value or not top else "█" * max(1, round(_WIDTH * value / top))
