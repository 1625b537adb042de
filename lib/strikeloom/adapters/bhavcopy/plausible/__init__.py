"""Checks of what the exchange's files always satisfy, alone and against the day before.

A row that cannot be right is left out by name; a file with too many of them, or of which the whole
is unlikely, is refused. Bounds are wider than anything in the real files (``docs/data.md``).
"""

from strikeloom.adapters.bhavcopy.plausible.bans import check_ban_list
from strikeloom.adapters.bhavcopy.plausible.file_check import FileCheck
from strikeloom.adapters.bhavcopy.plausible.findings import CHECKS, Checked, known_checks

__all__ = ["CHECKS", "Checked", "FileCheck", "check_ban_list", "known_checks"]
