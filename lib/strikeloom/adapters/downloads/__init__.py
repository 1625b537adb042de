"""Download of the exchange's daily files. A file counts once it is complete and verified."""

from strikeloom.adapters.downloads.days import FetchOutcome, FetchReport, fetch

__all__ = ["FetchOutcome", "FetchReport", "fetch"]
