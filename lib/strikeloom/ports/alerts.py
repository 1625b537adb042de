"""Alerts: what a person should know now."""

from __future__ import annotations

from typing import Protocol


class Alerts(Protocol):
    """Where alerts go, besides the store."""

    def send(self, level: str, text: str) -> None:
        """Deliver one alert; ``level`` is ``info``, ``warning`` or ``critical``."""
        ...
