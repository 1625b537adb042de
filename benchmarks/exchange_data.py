"""What the exchange's files always state: every fact of docs/exchange-data.md, measured again.

    .venv/bin/python benchmarks/exchange_data.py [FOLDER] [--check]

FOLDER is ``STRIKELOOM_SHARED/data``. Prints the rows of the document's tables: a fact, its value,
the place in the product that rests on it. With --check, the differences from the document only;
exit code 1 when there is one. Files are read without the package's readers, in about two minutes.
"""

from __future__ import annotations

import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc

from strikeloom.nse.expiries import weekly_expiry
from strikeloom.nse.sessions import previous_trading_day

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("STRIKELOOM_SHARED", ROOT.parent / "shared")) / "data"
DOCUMENT = ROOT / "docs" / "exchange-data.md"
Fact = tuple[str, str, str]

CONTRACTS, CHAINS = "adapters/bhavcopy/contracts.py", "iv_history/chains.py"
CASH, INDICES = "adapters/bhavcopy/cash.py", "adapters/bhavcopy/indices.py"
SETTLED, KEPT = (f"adapters/bhavcopy/plausible/{name}.py" for name in ("settlements", "identities"))
CHANGES, MADE = "nse/ladder_changes.py", "exchange/market/end_of_day.py"
OPENING = "exchange/market/opening_interest.py"
COLUMNS = (
    "TradDt", "BizDt", "Sgmt", "Src", "FinInstrmTp", "FinInstrmId", "TckrSymb", "XpryDt",
    "FininstrmActlXpryDt", "StrkPric", "OptnTp", "FinInstrmNm", "OpnPric", "HghPric", "LwPric",
    "ClsPric", "LastPric", "PrvsClsgPric", "UndrlygPric", "SttlmPric", "OpnIntrst",
    "ChngInOpnIntrst", "TtlTradgVol", "TtlTrfVal", "NewBrdLotQty",
)  # fmt: skip


def _texts(folder: Path) -> Iterator[bytes]:
    whole = {path.name[22:30] for path in (folder / "udiff").glob("*.zip")}
    for path in sorted((folder / "index_options").glob("*.tar.xz")):
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member)
                # six days are in both folders, with equal values
                if stream is not None and not any(day in member.name for day in whole):
                    yield stream.read()
    for path in sorted((folder / "udiff").glob("*.zip")):
        with zipfile.ZipFile(path) as packed:
            yield packed.read(packed.namelist()[0])


def contracts(folder: Path) -> pd.DataFrame:
    """Rows of all UDiFF files, each day once."""
    wanted = pc.ConvertOptions(include_columns=list(COLUMNS))
    tables = [pc.read_csv(io.BytesIO(text), convert_options=wanted) for text in _texts(folder)]
    table = pa.concat_tables(tables, promote_options="permissive")
    return table.to_pandas(strings_to_categorical=True, date_as_object=False)


def share(mask: pd.Series, among: pd.Series) -> str:
    """Count of rows among others."""
    return f"{int((mask & among).sum()):,} of {int(among.sum()):,}"


def columns(d: pd.DataFrame) -> Iterator[Fact]:
    """What each column of the contracts always satisfies."""
    every = pd.Series(True, index=d.index)
    option = d["OptnTp"].isin(["CE", "PE"])
    traded, idle = option & (d["TtlTradgVol"] > 0), option & (d["TtlTradgVol"] == 0)
    future = ~option & (d["TtlTradgVol"] > 0)
    low, high, close = d["LwPric"], d["HghPric"], d["ClsPric"]
    ended = d["FininstrmActlXpryDt"] <= d["TradDt"]
    live = option & ~ended

    def outside(name: str) -> pd.Series:
        return (d[name] > high) | (d[name] < low)

    yield "Rows; days", f"{len(d):,}; {d['TradDt'].nunique()}", CONTRACTS
    other = (d["BizDt"] != d["TradDt"]) | (d["Sgmt"] != "FO") | (d["Src"] != "NSE")
    yield "Business date, segment or source other than the rest", share(other, every), CONTRACTS
    keys = ["TradDt", "TckrSymb", "FinInstrmTp", "XpryDt", "StrkPric", "OptnTp"]
    yield "Contracts twice on a day", share(d.duplicated(keys), every), CONTRACTS
    yield "Ids twice on a day", share(d.duplicated(["TradDt", "FinInstrmId"]), every), CHANGES
    yield (
        "Expiry or last day before the trade date",
        share((d["XpryDt"] < d["TradDt"]) | (d["FininstrmActlXpryDt"] < d["TradDt"]), every),
        CONTRACTS,
    )
    yield (
        "Last day other than the expiry (all ITC, 2025-01-01 to 03)",
        share(d["FininstrmActlXpryDt"] != d["XpryDt"], every),
        CONTRACTS,
    )
    yield "Futures with a strike", share(d["StrkPric"].notna(), ~option), CONTRACTS
    yield "Options without a positive strike", share(~(d["StrkPric"] > 0), option), CONTRACTS
    ohlc = d[["OpnPric", "HghPric", "LwPric"]]
    yield (
        "Traded options: open, high or low of 0",
        share((ohlc == 0).any(axis=1), traded),
        CONTRACTS,
    )
    yield "Traded options: open outside low to high", share(outside("OpnPric"), traded), CONTRACTS
    yield "Traded options: close outside low to high", share(outside("ClsPric"), traded), CONTRACTS
    yield "Traded options: last outside low to high", share(outside("LastPric"), traded), CONTRACTS
    yield (
        "Traded options: settlement outside low to high",
        share(outside("SttlmPric"), traded & live),
        CHAINS,
    )
    yield (
        "Traded futures: open, high and low of 0 (legs of spreads)",
        share((ohlc == 0).all(axis=1), future),
        CONTRACTS,
    )
    yield "Traded futures: close outside low to high", share(outside("ClsPric"), future), CONTRACTS
    yield (
        "Untraded options: open, high or low not 0",
        share((ohlc != 0).any(axis=1), idle),
        CONTRACTS,
    )
    yield (
        "Untraded options: close other than the previous close",
        share(close != d["PrvsClsgPric"], idle),
        CONTRACTS,
    )
    yield (
        "Untraded options with a last price (an older trade)",
        share(d["LastPric"] > 0, idle),
        CONTRACTS,
    )
    yield (
        "Options: close or previous close not positive",
        share((close <= 0) | (d["PrvsClsgPric"] <= 0), option),
        CONTRACTS,
    )
    yield (
        "Options: settlement of 0 (index options only)",
        share(d["SttlmPric"] == 0, live),
        CONTRACTS,
    )
    yield (
        "The same of traded options; largest close among them",
        (
            f"{share(d['SttlmPric'] == 0, live & traded)}; "
            f"{close[live & traded & (d['SttlmPric'] == 0)].max():.2f}"
        ),
        CHAINS,
    )
    yield (
        "Options: settlement at 0.05, the former floor",
        share(d["SttlmPric"] == 0.05, live),
        CHAINS,
    )
    yield "Options: settlement below 0.05", share(d["SttlmPric"] < 0.05, live), CONTRACTS
    yield (
        "Traded options: settlement equal to the close",
        share(d["SttlmPric"] == close, live & traded),
        CHAINS,
    )
    many = live & (d["TtlTradgVol"] > 100)
    equal = (d["SttlmPric"] == close)[many].groupby(d["TradDt"]).mean()
    yield (
        "Options over 100 lots: settlement equal to the close, least and most of a day",
        f"{100 * equal.min():.1f} and {100 * equal.max():.1f} %",
        SETTLED,
    )
    carried = (d["SttlmPric"] == close)[live & idle].groupby(d["TradDt"]).mean()
    yield (
        "Untraded options: settlement equal to the close carried, most of a day",
        f"{100 * carried.max():.1f} %",
        SETTLED,
    )
    over = (close / d["SttlmPric"])[future]
    yield (
        "Traded futures: close over settlement, least and most",
        f"{over.min():.3f} and {over.max():.3f}",
        SETTLED,
    )
    yield (
        "Last day: settlement other than the underlying's level",
        share(d["SttlmPric"] != d["UndrlygPric"], option & ended),
        CONTRACTS,
    )
    several = d.groupby(["TradDt", "TckrSymb"], observed=True)["UndrlygPric"].nunique()
    yield (
        "Underlyings with several levels on a day",
        (f"{int((several > 1).sum())} of {len(several):,}"),
        CONTRACTS,
    )
    paise = d[["OpnPric", "HghPric", "LwPric", "ClsPric", "LastPric", "SttlmPric"]] * 100
    yield (
        "Prices not in whole paise",
        share(((paise - paise.round()).abs() > 1e-3).any(axis=1), every),
        "domain/money.py",
    )
    units = d["TtlTradgVol"] * d["NewBrdLotQty"]
    mean = d["TtlTrfVal"] / units - d["StrkPric"].fillna(0)
    yield (
        "Traded options: turnover over units, less the strike, outside low to high",
        share((mean > high + 0.02) | (mean < low - 0.02), traded),
        CONTRACTS,
    )
    yield (
        "Open interest less than its change",
        share(d["OpnIntrst"] < d["ChngInOpnIntrst"], every),
        MADE,
    )
    yield (
        "Options: open interest no whole lots",
        share(d["OpnIntrst"] % d["NewBrdLotQty"] != 0, option),
        CHANGES,
    )
    yield (
        "Options: change of open interest beyond the units traded",
        share(d["ChngInOpnIntrst"].abs() > units, option),
        MADE,
    )


def between_days(d: pd.DataFrame) -> Iterator[Fact]:
    """What a day's file states about the day before it."""
    days = dict(iter(d.groupby("TradDt")))
    pairs = previous = interest = renewed = 0
    far: set[int] = set()
    moved: dict[str, int] = {}
    lots: dict[str, int] = {}
    news: dict[str, int] = {}
    for day, today in days.items():
        before = days.get(pd.Timestamp(previous_trading_day(day.date())))
        if before is None:
            continue
        both = today.merge(before, on=["FinInstrmId", "FinInstrmNm"], suffixes=("", "_before"))
        pairs += len(both)
        previous += int((both["PrvsClsgPric"] != both["ClsPric_before"]).sum())
        gap = both["OpnIntrst"] - both["ChngInOpnIntrst"] != both["OpnIntrst_before"]
        interest += int(gap.sum())
        text = f"{day:%Y-%m-%d}"
        by = (both["XpryDt"] - both["XpryDt_before"]).dt.days
        far |= set(by[by != 0])
        renewed += int(((by != 0) & (both["OpnIntrst"] != both["ChngInOpnIntrst"])).sum())
        for found, mask in (
            (moved, both["XpryDt"] != both["XpryDt_before"]),
            (lots, both["NewBrdLotQty"] != both["NewBrdLotQty_before"]),
            (news, gap),
        ):
            if mask.any():
                found[text] = int(mask.sum())

    def listed(found: dict[str, int]) -> str:
        return ", ".join(f"{day}: {count:,}" for day, count in found.items())

    yield "Contracts on two sessions in a row, by id and name", f"{pairs:,}", CHANGES
    yield "Previous close other than that day's close", f"{previous:,} of {pairs:,}", CONTRACTS
    yield "Expiry moved, id and name kept", listed(moved), CHANGES
    yield "Days by which an expiry was moved", f"{min(far)} to +{max(far)}", KEPT
    yield "Open interest of these other than its change", f"{renewed:,}", OPENING
    yield "Lot changed, id and name kept", listed(lots), CHANGES
    yield (
        "Open interest less its change other than that day's open interest",
        (f"{interest:,} of {pairs:,} ({listed(news)})"),
        MADE,
    )


def prices(d: pd.DataFrame) -> Iterator[Fact]:
    """How good prices of a day are."""
    index = d["TckrSymb"].isin(["NIFTY", "BANKNIFTY"]) & (d["TradDt"] < "2026-01-01")
    option, nifty = d["OptnTp"].isin(["CE", "PE"]), index & (d["TckrSymb"] == "NIFTY")
    liquid = nifty & option & (d["TtlTradgVol"] > 100)
    live = d["XpryDt"] > d["TradDt"]
    yield (
        "NIFTY options over 100 lots, to 2025: close equal to the last price",
        share(d["ClsPric"] == d["LastPric"], liquid & live),
        MADE,
    )
    year = nifty & option & (d["TradDt"] >= "2025-01-01")
    left = (d["XpryDt"] - d["TradDt"]).dt.days
    parts = []
    for name, first, last in (("0", 0, 0), ("1-7", 1, 7), ("8-30", 8, 30), ("31-90", 31, 90),
                              ("91-365", 91, 365), ("beyond", 366, 9999)):  # fmt: skip
        rows = year & left.between(first, last)
        parts.append(f"{name}: {(d.loc[rows, 'TtlTradgVol'] == 0).mean():.1%}")
    yield "NIFTY options of 2025 without a trade, by days to expiry", "; ".join(parts), CHAINS
    for symbol in ("NIFTY", "BANKNIFTY"):
        named = index & option & (d["TckrSymb"] == symbol) & (d["TradDt"] >= "2025-01-01")
        chosen = d[named & live & (d["TtlTradgVol"] > 100)]
        near = chosen[(chosen["StrkPric"] / chosen["UndrlygPric"] - 1).abs() < 0.02]
        keys = ["TradDt", "XpryDt", "StrkPric"]
        sides = [near[near["OptnTp"] == right].set_index(keys) for right in ("CE", "PE")]
        both = sides[0].join(sides[1], lsuffix="_c", rsuffix="_p", how="inner")
        texts = []
        for name in ("OpnPric", "ClsPric"):
            forward = (
                both[f"{name}_c"] - both[f"{name}_p"] + both.index.get_level_values("StrkPric")
            )
            middle = forward.groupby(level=["TradDt", "XpryDt"]).transform("median")
            gap = (forward - middle).abs()
            texts.append(f"{gap.median():.1f} and {gap.quantile(0.9):.1f}")
        yield (
            (
                f"{symbol} 2025, strikes within 2 %: median and 90th percentile of a strike's "
                "parity gap to the expiry's median"
            ),
            f"{texts[0]} points at the open; {texts[1]} at the close",
            MADE,
        )
    chains = d[nifty & option & (d["TradDt"] == "2024-06-04")]
    front = chains[chains["XpryDt"] == chains["XpryDt"].min()]
    second = chains[chains["XpryDt"] == sorted(chains["XpryDt"].unique())[1]]
    spot = front["UndrlygPric"].iloc[0]
    yield (
        "NIFTY on 2024-06-04: level; lowest strike of the front and of the next chain",
        (f"{spot:,.2f}; {front['StrkPric'].min():,.0f} and {second['StrkPric'].min():,.0f}"),
        "iv_history/vix_method.py",
    )
    weeks = d.loc[nifty & option, ["TradDt", "XpryDt"]].drop_duplicates()
    near_ones = weeks[(weeks["XpryDt"] - weeks["TradDt"]).dt.days <= 27]
    counts = near_ones.groupby("TradDt").size()
    yield (
        "NIFTY expiries listed within 27 days, fewest and most",
        (f"{counts.min()} and {counts.max()}"),
        "nse/expiries.py",
    )
    last = {f"{day:%Y-%m-%d}" for day in weeks.loc[weeks["XpryDt"] == weeks["TradDt"], "XpryDt"]}
    wrong = [
        day
        for day in sorted(last)
        if weekly_expiry(date.fromisoformat(day)) != date.fromisoformat(day)
    ]
    yield (
        "NIFTY expiries 2024-04 to 2025-12; other than by rule",
        f"{len(last)}; {len(wrong)}",
        "nse/expiries.py",
    )


def cash(folder: Path) -> Iterator[Fact]:
    """What the cash files always satisfy."""
    path = next((folder / "cm_bhavcopy").glob("fno_underlyings*.csv.gz"))
    d = pd.read_csv(path, skipinitialspace=True)
    d["day"] = pd.to_datetime(d["DATE1"].str.strip(), format="%d-%b-%Y")
    d = d.sort_values(["SYMBOL", "day"])
    every = pd.Series(True, index=d.index)
    low, high = d["LOW_PRICE"], d["HIGH_PRICE"]
    for name in ("OPEN_PRICE", "CLOSE_PRICE", "LAST_PRICE"):
        yield f"{name} outside low to high", share((d[name] > high) | (d[name] < low), every), CASH
    yield (
        "CLOSE_PRICE other than LAST_PRICE",
        share(d["CLOSE_PRICE"] != d["LAST_PRICE"], every),
        CASH,
    )
    yield "No volume", share(d["TTL_TRD_QNTY"] <= 0, every), CASH
    order = d["day"].map({day: n for n, day in enumerate(sorted(d["day"].unique()))})
    follows = order - order.groupby(d["SYMBOL"]).shift() == 1
    before = d.groupby("SYMBOL")["CLOSE_PRICE"].shift()
    yield (
        "PREV_CLOSE other than the close of the session before",
        share(d["PREV_CLOSE"] != before, follows),
        "nse/corporate_actions.py",
    )
    jump = (d["OPEN_PRICE"] / d["PREV_CLOSE"] - 1).abs()
    yield (
        "Opens more than 8 % off; of these on 2025-04-07; more than 20 % off",
        (
            f"{(jump > 0.08).sum()}; {((jump > 0.08) & (d['day'] == '2025-04-07')).sum()}; "
            f"{(jump > 0.2).sum()}"
        ),
        "nse/corporate_actions.py",
    )


def indices(folder: Path) -> Iterator[Fact]:
    """India VIX, the closes of all indices, SPAN's ranges."""
    d = pd.read_csv(folder / "indices" / "india_vix_2012_2026.csv.gz")
    d.columns = [name.strip() for name in d.columns]
    d["day"] = pd.to_datetime(d["Date"].str.strip(), format="%d-%b-%Y")
    d = d.sort_values("day")
    every = pd.Series(True, index=d.index)
    yield (
        "India VIX: open equal to the previous close",
        share(d["Open"] == d["Prev. Close"], every),
        INDICES,
    )
    outside = (d["Close"] > d["High"]) | (d["Close"] < d["Low"])
    yield (
        "India VIX: close outside low to high (two days have only a close)",
        share(outside, every),
        INDICES,
    )
    off = (d["Prev. Close"] - d["Close"].shift()).abs() > 0.0101
    yield (
        "India VIX: previous close more than 0.01 off the close before; last such day",
        (f"{int(off.sum())} of {len(d) - 1:,}; {d.loc[off, 'day'].max():%Y-%m-%d}"),
        INDICES,
    )
    change = d["Close"] / d["Close"].shift() - 1
    yield (
        "India VIX: rises and falls of 20 % or more",
        (f"{int((change >= 0.2).sum())} and {int((change <= -0.2).sum())}"),
        "iv_history/rank.py",
    )
    rows = closed = 0
    for path in sorted((folder / "indices").glob("ind_close_all_*.csv")):
        one = pd.read_csv(path, na_values="-")
        rows += len(one)
        level = one["Closing Index Value"]
        closed += int(((level > one["High Index Value"]) | (level < one["Low Index Value"])).sum())
    yield "Closes of all indices: close outside low to high", f"{closed} of {rows:,}", INDICES
    span = pd.read_csv(folder / "reference" / "span_index_daily_2012-07_2026-07.csv.gz")
    for symbol, first, last in (("NIFTY", "2023", "2027"), ("BANKNIFTY", "2023", "2026-02-27"),
                                ("BANKNIFTY", "2026-02-27", "2027")):  # fmt: skip
        part = span[
            (span["symbol"] == symbol) & span["date"].between(first, last, inclusive="left")
        ]
        yield (
            f"SPAN price scan of {symbol} from {part['date'].min()} to {part['date'].max()}",
            (f"{part['price_scan_pct'].min():.2f} to {part['price_scan_pct'].max():.2f} %"),
            "risk/parameters.py",
        )


def facts(folder: Path) -> Iterator[tuple[str, Fact]]:
    """Facts by section of the document."""
    d = contracts(folder / "fo_bhavcopy")
    for title, found in (
        ("Columns of the contracts", columns(d)),
        ("From one session to the next", between_days(d)),
        ("Prices of a day", prices(d)),
        ("Cash", cash(folder)),
        ("Indices and margins", indices(folder)),
    ):
        for fact in found:
            yield title, fact


def main() -> int:
    given = [text for text in sys.argv[1:] if not text.startswith("--")]
    folder = Path(given[0]) if given else SHARED
    if not folder.is_dir():
        print(f"skipped: {folder} is absent (STRIKELOOM_SHARED)")
        return 0
    measured: list[str] = []
    section = ""
    for title, (name, value, place) in facts(folder):
        row = f"| {name} | {value} | `{place}` |"
        measured.append(row)
        if "--check" not in sys.argv:
            if title != section:
                print(f"\n## {title}\n\n| fact | value | rests on it |\n| --- | --- | --- |")
            print(row)
        section = title
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    stated = [line for line in lines if line.startswith("| ") and line.endswith("` |")]
    differing = sorted(set(measured) ^ set(stated))
    for row in differing:
        print("measured:" if row in measured else "stated:  ", row, file=sys.stderr)
    print(
        f"{len(measured)} facts, {len(differing)} rows differ from {DOCUMENT.name}", file=sys.stderr
    )
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
