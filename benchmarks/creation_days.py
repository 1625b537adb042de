"""Strategy creation over real days: picks by family, score against expected value, and results.

    .venv/bin/python benchmarks/creation_days.py [SHARED_DATA] [--days 53] [--home FOLDER]

Needs a folder with the exchange's files (``fo_bhavcopy/udiff``, ``cm_bhavcopy``, ``indices``). Days
are those of 2026 with a later one to judge on, spread evenly over all. With ``--home`` imported
files, stage 01 and each finished day are kept there, and a later call continues: a day is worked
out again only when the code or the settings of stage 02 have changed. Nothing but stage 01 is
written to the store. Bars: rank correlation of score with real-world expected value after costs
over funds 0.8, no pick to earn with a negative one, no family without a candidate. Results are
after costs, at the first expiry or, where that is later, at the last stored day; standard errors
count the picks of one expiry as one draw, and the number of expiries is of equally large ones.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("STRIKELOOM_SHARED", ROOT.parent / "shared")) / "data"
ROOMS = ("domain", "quant", "nse", "risk", "strategy_creation")
YEAR, BAR = 2026, 0.8


class Row(NamedTuple):
    """One structure on one symbol of a day; money in paise, of one unit.

    ``end`` is the first expiry of its options, ``earned`` what it would have earned by then or
    by the last stored day.
    """

    day: date
    symbol: str
    template: str
    family: str
    ending: str
    earns: bool
    rule: str
    reason: str
    score: float
    expected: float
    error: float
    funds: float
    end: date | None
    earned: float
    final: bool
    lacking: str


def version() -> str:
    """Of the code and the settings that a day's results depend on."""
    found = hashlib.sha256()
    lib = ROOT / "lib" / "strikeloom"
    files = [path for room in ROOMS for path in (lib / room).rglob("*") if path.is_file()]
    for path in sorted([*files, *(ROOT / "config").iterdir()]):
        if path.suffix in {".py", ".csv", ".yaml"}:
            found.update(path.read_bytes())
    return found.hexdigest()[:12]


def prepare(data: Path) -> list[date]:
    """Import files, run stage 01 for each day that lacks it, and name the days to judge."""
    from strikeloom import iv_history
    from strikeloom.adapters.bhavcopy import import_paths
    from strikeloom.desk import open_desk, open_workers, places
    from strikeloom.desk.markets import EXCHANGE, open_history
    from strikeloom.domain.results import Stage

    history = open_history(EXCHANGE, places())
    if not history.days():
        folders = [data / name for name in ("fo_bhavcopy/udiff", "cm_bhavcopy", "indices")]
        report = import_paths(folders, history)
        print(f"imported {len(report.files)} files", flush=True)
    days = [day for day in history.days() if day.year == YEAR]
    for day in (days[-1], *days):  # the last one first: it works out all days in one go
        with open_desk(EXCHANGE, day) as desk:
            if desk.store.latest_run(Stage.IV_HISTORY, day) is not None:
                continue
            gaps = iv_history.find_gaps(desk)
            workers = open_workers(len(gaps.todo), processes=1)
            output = iv_history.save(
                desk, f"iv-history-{day}", gaps, iv_history.collect(desk, gaps, workers)
            )
            desk.store.finish_run(output.result, desk.clock.now())
            print(f"stage 01 of {day}: {output.result.counts}", flush=True)
    return days[:-1]


def rows_of(day: date) -> list[Row]:
    """Stage 02 of a day, in memory: every structure on every symbol."""
    from strikeloom import strategy_creation as creation
    from strikeloom.desk import open_desk
    from strikeloom.desk.markets import EXCHANGE
    from strikeloom.domain.instruments import OptionContract
    from strikeloom.domain.templates import StructurePurpose
    from strikeloom.strategy_creation.since import earned_since

    with open_desk(EXCHANGE, day, stage="strategy-creation") as desk:
        loaded = creation.load_chains(desk)
        views, unseen = creation.form_views(desk, loaded, keep=False)
        built = creation.build(desk, loaded, views)
        outcomes = creation.choose(desk, built).outcomes
        since = iter(earned_since(desk, day, [row.legs for row in outcomes if row.legs]))
    rows = []
    for row in outcomes:
        template = creation.TEMPLATES[row.template]
        found = next(since) if row.legs else None
        options = (leg.instrument for leg in row.legs)
        rows.append(
            Row(
                day, row.symbol, row.template, template.family.value, row.ending.value,
                template.purpose is StructurePurpose.EARN, row.rule.value, row.reason,
                _known(row.score), _known(row.expected_value), _known(row.error),
                _known(row.funds),
                min((it.expiry for it in options if isinstance(it, OptionContract)), default=None),
                _known(found and found.earned), bool(found and found.final),
                found.reason if found else "",
            )
        )  # fmt: skip
    refused = {row.symbol for row in (*loaded.refused, *unseen)}
    print(f"{day}: {len(views)} symbols, {len(refused)} more refused", flush=True)
    return rows


def _known(value: float | None) -> float:
    return np.nan if value is None else value


def work_out(days: list[date], kept: Path) -> pd.DataFrame:
    """Rows of the days; those that are kept from an earlier call are read."""
    kept.mkdir(exist_ok=True)
    now, found = version(), []
    for day in days:
        path = kept / f"{day}-{now}.parquet"
        if not path.exists():
            begun = time.monotonic()
            table = pd.DataFrame(rows_of(day), columns=list(Row._fields))
            part = path.with_suffix(".part")
            table.to_parquet(part)
            part.replace(path)
            print(f"    {len(table):,} structures, {time.monotonic() - begun:.0f} s", flush=True)
        found.append(pd.read_parquet(path))
    return pd.concat(found, ignore_index=True)


def clustered(values: pd.Series, groups: pd.Series) -> tuple[float, float, float]:
    """Mean, its standard error with the values of a group as one draw, and how many draws.

    So many groups of equal size would weigh as much: with fewer than about ten the error is itself
    hardly known.
    """
    mean, sizes = values.mean(), groups.value_counts()
    count = len(sizes)
    if count < 2:
        return mean, np.nan, count
    sums = (values - mean).groupby(groups).sum()
    error = np.sqrt(count / (count - 1) * (sums**2).sum()) / len(values)
    return mean, error, len(values) ** 2 / (sizes**2).sum()


def by_family(rows: pd.DataFrame) -> None:
    """Picks and candidates of each family; the commonest reason where it has no picks."""
    days = rows["day"].nunique()
    head = f"{'family':14s} {'templates':>9s} {'built':>8s} {'picks':>7s} {'a day':>6s}"
    print(f"\n{head}  picked most, or why none")
    for family, mine in rows.groupby("family"):
        picks = mine[mine["ending"] == "picked"]
        built = int(mine["funds"].notna().sum())
        if len(picks):
            note = ", ".join(
                f"{n} {c}" for n, c in picks["template"].value_counts().head(4).items()
            )
        else:
            reason, count = Counter(
                mine["reason"].str.replace(r"[-\d.,]+", "#", regex=True)
            ).most_common(1)[0]
            note = f"{count} of {len(mine)}: {reason}"
        print(
            f"{family:14s} {mine['template'].nunique():9d} {built:8,d} {len(picks):7,d} "
            f"{len(picks) / days:6.1f}  {note}"
        )


def correlation(rows: pd.DataFrame) -> float:
    """Rank correlation of score with real-world expected value over funds; median of the days."""
    rows = rows[rows["score"].notna() & rows["expected"].notna()]
    rate = rows["expected"] / rows["funds"]
    each = [
        spearmanr(mine["score"], rate[mine.index]).statistic
        for _, mine in rows.groupby("day")
        if len(mine) > 2
    ]
    if not each:
        return np.nan
    whole = spearmanr(rows["score"], rate).statistic
    print(f"{len(rows):,} rows: {whole:.3f} over all, days {min(each):.3f} to {max(each):.3f}")
    return float(np.median(each))


def results(rows: pd.DataFrame) -> None:
    """Mean result by third of the score beside what was expected, per cent of the funds."""
    known = rows[rows["earned"].notna() & rows["score"].notna() & (rows["funds"] > 0)]
    ended = int(known["final"].sum())
    print(f"{len(known):,} of {len(rows):,} with a result; {ended:,} at their end")
    for name, part in (("ended", known[known["final"]]), ("all", known)):
        if len(part) < 3:
            continue
        third = pd.qcut(part["score"].rank(method="first"), 3, labels=["low", "middle", "high"])
        for label, mine in (*part.groupby(third, observed=True), ("whole", part)):
            line(f"{name:6s} {label:7s}", mine)


def line(name: str, mine: pd.DataFrame) -> None:
    """Print the mean result of some structures and what was expected of them."""
    got, error, count = clustered(100 * mine["earned"] / mine["funds"], mine["end"])
    hoped = 100 * (mine["expected"] / mine["funds"]).mean()
    won, rupees = 100 * (mine["earned"] > 0).mean(), mine["earned"].mean() / 100
    print(
        f"  {name} {len(mine):7,d}: earned {got:+6.2f} +- {error:.2f} % of funds, "
        f"expected {hoped:+6.2f} %; {won:.0f} % won, Rs {rupees:+,.0f} each; {count:.1f} expiries"
    )


def by_expiry(picks: pd.DataFrame) -> None:
    """Results of the expiries with most picks and of each family, and how sure they were."""
    print("\nresults of picks to earn, by expiry (those with most) and by family (ended ones)")
    for end in sorted(picks["end"].value_counts().head(3).index):
        line(f"{end}{'' if picks.loc[picks['end'] == end, 'final'].all() else ' (marked)'}",
             picks[picks["end"] == end])  # fmt: skip
    for family, mine in picks[picks["final"]].groupby("family"):
        line(f"{family:14s}", mine)
    ratio = (picks["expected"] / picks["error"]).median()
    print(f"expected value over the error of its quotes: {ratio:.1f} in the median")
    rate = picks["earned"] / picks["funds"]
    each = [
        spearmanr(mine["score"], rate[mine.index]).statistic
        for _, mine in picks.groupby("day")
        if len(mine) > 2
    ]
    print(f"rank correlation of score with result: {np.mean(each):.3f} in the mean of the days")


def report(rows: pd.DataFrame) -> bool:
    """Print everything; whether the bars are met."""
    picks = rows[rows["ending"] == "picked"]
    counts = rows["ending"].value_counts().to_dict()
    print(f"\n{rows['day'].nunique()} days, {len(rows):,} structures: {counts}")
    by_family(rows)
    print("\nrank correlation of score with real-world expected value after costs over funds")
    print("all with a score: ", end="")
    correlation(rows)
    print("picks to earn: ", end="")
    earners = picks[picks["earns"]]
    found = correlation(earners)
    negative = int((~(earners["expected"] > 0)).sum())
    print(f"median day of picks {found:.3f}; {negative} of {len(earners):,} expected to lose")
    print("\nresults of picks to earn, by third of the score")
    results(earners)
    by_expiry(earners)
    print("\nresults of everything with a score")
    results(rows[rows["earns"]])
    lacking = picks.loc[picks["earned"].isna(), "lacking"]
    print(f"\n{len(lacking)} picks without a result", *lacking.unique()[:5], sep="\n  ")
    families = set(rows["family"]) == set(rows.loc[rows["funds"].notna(), "family"])
    good = found >= BAR and negative == 0 and families
    print(
        f"bars {'met' if good else 'MISSED'}: {BAR} rank correlation, 0 expected to lose, ", end=""
    )
    print("no family without a candidate")
    return good


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", nargs="?", type=Path, default=SHARED)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    if not given.data.is_dir():
        sys.exit(f"no exchange files in {given.data}; name their folder")
    with tempfile.TemporaryDirectory() as temporary:
        home = given.home or Path(temporary)
        os.environ |= {"STRIKELOOM_HOME": str(home), "STRIKELOOM_MODE": "replay"}
        whole = prepare(given.data)
        count = min(given.days, len(whole))
        chosen = [
            whole[place] for place in np.linspace(0, len(whole) - 1, count).round().astype(int)
        ]
        rows = work_out(chosen, home / "creation_days")
    return 0 if report(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
