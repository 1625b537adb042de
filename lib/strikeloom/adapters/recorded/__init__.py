"""Option chains that others recorded during the day, read as a market day to play."""

from strikeloom.adapters.recorded.day import RecordedDay, recorded_day

__all__ = ["RecordedDay", "recorded_day"]
