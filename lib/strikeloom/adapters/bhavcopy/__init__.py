"""Reading the exchange's daily files. What a file is, its header decides, never its name."""

from strikeloom.adapters.bhavcopy.importer import FileOutcome, ImportReport, import_paths

__all__ = ["FileOutcome", "ImportReport", "import_paths"]
