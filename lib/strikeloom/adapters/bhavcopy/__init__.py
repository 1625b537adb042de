"""Reading the exchange's daily files. The header decides what a file is, not its name."""

from strikeloom.adapters.bhavcopy.importer import import_paths
from strikeloom.adapters.bhavcopy.report import FileOutcome, ImportReport

__all__ = ["FileOutcome", "ImportReport", "import_paths"]
