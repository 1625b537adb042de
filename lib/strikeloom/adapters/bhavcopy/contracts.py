"""F&O bhavcopy in both layouts to ``CONTRACTS``, with the exchange's traps resolved.

- An untraded contract shows yesterday's close, however stale: its prices become NaN.
- On its expiry day an option's settlement is the final value of the underlying: it moves to
  ``final_settlement``.
- Volume counts lots, open interest units; lots come with each contract.
- ``XpryDt`` is the expiry a contract is listed with. ``FininstrmActlXpryDt`` differs for
  adjusted contracts (ITC, January 2025) and is not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from strikeloom.adapters.bhavcopy.table import counts, days, floats, read_table, texts
from strikeloom.errors import BadFile

if TYPE_CHECKING:
    import pandas as pd

_KINDS = {
    "IDF": "index",
    "IDO": "index",
    "STF": "stock",
    "STO": "stock",
    "FUTIDX": "index",
    "OPTIDX": "index",
    "FUTSTK": "stock",
    "OPTSTK": "stock",
}
_RIGHTS = {"CE": "CE", "PE": "PE", "CA": "CE", "PA": "PE", "": "XX", "XX": "XX", "FF": "XX"}
ISO, DAY_MONTH = "%Y-%m-%d", "%d-%b-%Y"


def udiff(body: bytes, name: str, header: list[str]) -> pd.DataFrame:
    """UDiFF layout; rows of other segments are refused."""
    import pyarrow as pa

    number, count, text = pa.float64(), pa.int64(), pa.string()
    table = read_table(
        body,
        name,
        header,
        {
            "TradDt": text,
            "Sgmt": text,
            "FinInstrmTp": text,
            "FinInstrmId": count,
            "TckrSymb": text,
            "XpryDt": text,
            "StrkPric": number,
            "OptnTp": text,
            "OpnPric": number,
            "HghPric": number,
            "LwPric": number,
            "ClsPric": number,
            "PrvsClsgPric": number,
            "UndrlygPric": number,
            "SttlmPric": number,
            "OpnIntrst": number,
            "ChngInOpnIntrst": number,
            "TtlTradgVol": number,
            "NewBrdLotQty": number,
        },
    )
    segments = set(table["Sgmt"].unique().to_pylist())
    if segments != {"FO"}:
        raise BadFile(f"{name}: segment {segments}, expected FO (the F&O bhavcopy)")
    prices = {
        ours: floats(table, theirs)
        for ours, theirs in (
            ("open", "OpnPric"),
            ("high", "HghPric"),
            ("low", "LwPric"),
            ("close", "ClsPric"),
            ("settle", "SttlmPric"),
            ("previous_close", "PrvsClsgPric"),
            ("underlying", "UndrlygPric"),
        )
    }
    return _frame(
        name,
        day=days(table, "TradDt", name, ISO),
        symbol=texts(table, "TckrSymb"),
        instrument=texts(table, "FinInstrmTp"),
        expiry=days(table, "XpryDt", name, ISO),
        strike=floats(table, "StrkPric"),
        option=texts(table, "OptnTp"),
        prices=prices,
        lots=floats(table, "TtlTradgVol"),
        interest=floats(table, "OpnIntrst"),
        change=floats(table, "ChngInOpnIntrst"),
        lot_size=floats(table, "NewBrdLotQty"),
        number=counts(table, "FinInstrmId"),
    )


def legacy(body: bytes, name: str, header: list[str]) -> pd.DataFrame:
    """Old ``fo...bhav`` layout in its variants (trailing comma, CA/PA, XX/FF/blank)."""
    import pyarrow as pa

    number, text = pa.float64(), pa.string()
    table = read_table(
        body,
        name,
        header,
        {
            "INSTRUMENT": text,
            "SYMBOL": text,
            "EXPIRY_DT": text,
            "STRIKE_PR": number,
            "OPTION_TYP": text,
            "OPEN": number,
            "HIGH": number,
            "LOW": number,
            "CLOSE": number,
            "SETTLE_PR": number,
            "CONTRACTS": number,
            "OPEN_INT": number,
            "CHG_IN_OI": number,
            "TIMESTAMP": text,
        },
    )
    unknown = np.full(table.num_rows, np.nan)
    prices = {
        ours: floats(table, theirs)
        for ours, theirs in (
            ("open", "OPEN"),
            ("high", "HIGH"),
            ("low", "LOW"),
            ("close", "CLOSE"),
            ("settle", "SETTLE_PR"),
        )
    }
    return _frame(
        name,
        day=days(table, "TIMESTAMP", name, DAY_MONTH),
        symbol=texts(table, "SYMBOL"),
        instrument=texts(table, "INSTRUMENT"),
        expiry=days(table, "EXPIRY_DT", name, DAY_MONTH),
        strike=floats(table, "STRIKE_PR"),
        option=texts(table, "OPTION_TYP"),
        prices={**prices, "previous_close": unknown, "underlying": unknown},
        lots=floats(table, "CONTRACTS"),
        interest=floats(table, "OPEN_INT"),
        change=floats(table, "CHG_IN_OI"),
        lot_size=np.zeros(table.num_rows),
        number=np.zeros(table.num_rows, dtype=np.int64),
    )


def _frame(
    name: str,
    *,
    day: np.ndarray,
    symbol: np.ndarray,
    instrument: np.ndarray,
    expiry: np.ndarray,
    strike: np.ndarray,
    option: np.ndarray,
    prices: dict[str, np.ndarray],
    lots: np.ndarray,
    interest: np.ndarray,
    change: np.ndarray,
    lot_size: np.ndarray,
    number: np.ndarray,
) -> pd.DataFrame:
    import pandas as pd

    kind = _translated(instrument, _KINDS, name, "instrument type")
    right = _translated(option, _RIGHTS, name, "option type")
    is_option = right != "XX"
    _complete(name, symbol, strike, is_option, lots)
    traded = lots > 0
    shown = np.where(traded, 0.0, np.nan)
    expires = expiry == day
    settle = prices["settle"]
    return pd.DataFrame(
        {
            "day": day,
            "symbol": symbol,
            "kind": kind,
            "expiry": expiry,
            "strike": np.where(is_option, strike, 0.0),
            "right": right,
            "instrument_id": number,
            "lot_size": lot_size.astype(np.int64),
            **{side: prices[side] + shown for side in ("open", "high", "low", "close")},
            "settle": np.where(expires & is_option, np.nan, settle),
            "final_settlement": np.where(expires, settle, np.nan),
            "previous_close": prices["previous_close"],
            "underlying": prices["underlying"],
            "lots_traded": lots.astype(np.int64),
            "open_interest": interest.astype(np.int64),
            "oi_change": change.astype(np.int64),
            "traded": traded,
        }
    )


def _translated(raw: np.ndarray, words: dict[str, str], name: str, what: str) -> np.ndarray:
    import pandas as pd

    codes, distinct = pd.factorize(raw)
    unknown = [word for word in distinct if word not in words]
    if unknown:
        line = int(np.argmax(raw == unknown[0])) + 2
        raise BadFile(
            f"{name}: line {line}: {what} {unknown[0]!r}, expected one of "
            f"{', '.join(sorted(w for w in words if w))}",
            line=line,
        )
    return np.asarray([words[word] for word in distinct], dtype=object)[codes]


def _complete(
    name: str, symbol: np.ndarray, strike: np.ndarray, is_option: np.ndarray, lots: np.ndarray
) -> None:
    """Refuse rows without the numbers that identify or count them."""
    for bad, what in (
        (symbol == "", "no symbol"),
        (is_option & ~(strike > 0), "an option without a strike"),
        (np.isnan(lots) | (lots < 0), "no volume"),
    ):
        if bad.any():
            line = int(np.argmax(bad)) + 2
            raise BadFile(f"{name}: line {line}: {what}", line=line)
