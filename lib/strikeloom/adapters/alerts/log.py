"""Alerts in the log of the process, which the terminal and the run folder show."""

from __future__ import annotations

import logging

_LOG = logging.getLogger("strikeloom.alerts")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}


class LogAlerts:
    """``ports.alerts.Alerts`` over the standard log."""

    def send(self, level: str, text: str) -> None:
        """Log one alert."""
        _LOG.log(_LEVELS.get(level, logging.WARNING), "%s", text)
