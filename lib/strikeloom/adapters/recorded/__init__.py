"""Option chains recorded by others during a day, read as a market day for replay."""

from strikeloom.adapters.recorded.day import RecordedDay, recorded_day

__all__ = ["RecordedDay", "recorded_day"]
