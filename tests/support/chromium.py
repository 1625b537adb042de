"""Which Chromium drives the page, and how it is started."""

from __future__ import annotations

import os
import shutil

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium_path() -> str | None:
    """STRIKELOOM_CHROMIUM, else the system's; ``None`` leaves it to Playwright's own."""
    named = os.environ.get("STRIKELOOM_CHROMIUM")
    return named or next((path for name in _NAMES if (path := shutil.which(name))), None)
