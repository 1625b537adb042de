"""``config/fetch.yaml``: where the exchange's daily files are, and how politely to ask."""

from __future__ import annotations

from datetime import date, time
from typing import Literal

from pydantic import Field, field_validator

from strikeloom.settings.model import SettingsModel

Kind = Literal["contracts", "cash", "indices", "bans"]
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class DatedFile(SettingsModel):
    """Path of one kind of file, in force from a day on."""

    since: date
    path: str = Field(pattern=r"^/")

    @field_validator("path")
    @classmethod
    def _fits(cls, path: str) -> str:
        try:
            _filled(path, date(2026, 1, 31))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"knows the fields yyyy, mm, dd and MON only, met {error}") from None
        return path

    def on(self, day: date) -> str:
        """Path of a day."""
        return _filled(self.path, day)


class DailyFile(DatedFile):
    """One of the files that every trading day has."""

    kind: Literal["contracts", "cash", "indices"]


class FetchSettings(SettingsModel):
    """Downloading the exchange's files."""

    address: str = Field(pattern=r"^https?://[^/]+")
    user_agent: str = Field(min_length=1)
    pause_seconds: float = Field(ge=0, le=60)
    stall_seconds: float = Field(gt=0, le=300)
    file_seconds: float = Field(gt=0, le=3600)
    attempts: int = Field(ge=1, le=10)
    backoff_seconds: float = Field(ge=0, le=60)
    longest_backoff_seconds: float = Field(ge=0, le=600)
    give_up_after: int = Field(ge=1, le=100)
    published: time
    files: list[DailyFile] = Field(min_length=1)
    ban_list: DatedFile

    def paths(self, day: date) -> dict[Kind, str]:
        """Path of each kind of file that the server has for a day."""
        found: dict[Kind, str] = {}
        for row in sorted(self.files, key=lambda item: item.since):
            if row.since <= day:
                found[row.kind] = row.on(day)
        return found


def _filled(path: str, day: date) -> str:
    return path.format(
        yyyy=f"{day.year:04}", mm=f"{day.month:02}", dd=f"{day.day:02}", MON=_MONTHS[day.month - 1]
    )
