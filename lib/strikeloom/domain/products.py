"""How a position is held at the broker."""

from __future__ import annotations

from enum import StrEnum


class Product(StrEnum):
    """Product of an order. What the broker finances (MTF) is not offered.

    Which instrument may be held so, and until when: ``nse.products``.
    """

    INTRADAY = "INTRADAY"  # closed by the broker at the end of the day
    MARGIN = "MARGIN"  # contracts, carried forward
    CNC = "CNC"  # shares, paid in full and delivered
