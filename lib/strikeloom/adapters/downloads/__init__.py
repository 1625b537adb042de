"""The exchange's daily files from its server. A file counts once it is whole and verified."""

from strikeloom.adapters.downloads.days import FetchOutcome, FetchReport, fetch

__all__ = ["FetchOutcome", "FetchReport", "fetch"]
