"""The monitor page: a view of the board whose buttons write exit requests."""

from strikeloom.views.monitor.page import MonitorPage, show_monitor

__all__ = ["MonitorPage", "show_monitor"]
