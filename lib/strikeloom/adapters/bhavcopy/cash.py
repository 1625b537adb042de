"""Cash bhavcopy (``sec_bhavdata_full``) to the rows of ``CASH``.

One day or many stacked; as the exchange serves it (blanks after commas, all series) or
stripped. Only the EQ series is stored: underlyings of options trade there; the others are
other securities of the same symbol (debt, trade-to-trade, blocks) with their own prices.
Prices and previous closes are as published, unadjusted for splits and demergers.
"""

from __future__ import annotations

import numpy as np

from strikeloom.adapters.bhavcopy.csv_text import CsvText
from strikeloom.adapters.bhavcopy.parsed import ParsedRows
from strikeloom.adapters.bhavcopy.table import CsvTable
from strikeloom.adapters.parquet.datasets import DATASETS, paise_array

_PRICES = {
    "open": "OPEN_PRICE",
    "high": "HIGH_PRICE",
    "low": "LOW_PRICE",
    "close": "CLOSE_PRICE",
    "previous_close": "PREV_CLOSE",
}
_SYMBOL, _SERIES, _DAY, _VOLUME = "SYMBOL", "SERIES", "DATE1", "TTL_TRD_QNTY"
COLUMNS = (_SYMBOL, _SERIES, _DAY, *_PRICES.values(), _VOLUME)
_KEPT = "EQ"


def cash(text: CsvText) -> ParsedRows:
    """EQ rows of a cash bhavcopy."""
    import pyarrow as pa

    table = CsvTable(text, texts=[_SYMBOL, _SERIES, _DAY], numbers=[*_PRICES.values(), _VOLUME])
    series = table.texts(_SERIES)
    kept = np.array([text == _KEPT for text in series.distinct])[series.codes]
    prices = {ours: table.prices(theirs) for ours, theirs in _PRICES.items()}
    for side in ("open", "close"):
        inside = (prices["low"] <= prices[side]) & (prices[side] <= prices["high"])
        table.refuse(kept & ~inside, _PRICES[side], "a price from low to high")
    columns = {
        "day": pa.array(table.days(_DAY)),
        "symbol": table.texts(_SYMBOL).array(),
        **{ours: paise_array(values) for ours, values in prices.items()},
        "volume": pa.array(table.counts(_VOLUME)),
    }
    schema = DATASETS["cash"].on_disk
    arrays = [columns[name].cast(schema.field(name).type) for name in schema.names]
    left_out = table.rows - int(kept.sum())
    return ParsedRows(
        pa.Table.from_arrays(arrays, schema=schema).filter(pa.array(kept)),
        f"{left_out} rows of other series left out" if left_out else "",
    )
