"""What every settings model shares: frozen, bounded, typed, unknown keys refused."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from strikeloom.settings.scalars import READERS


class SettingsModel(BaseModel):
    """A frozen part of the settings; an unknown key or a value out of range is refused.

    A value is of its field's type or is read as that (``settings.scalars``): no switch becomes a
    number, no number a time of day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _typed(cls, value: Any, info: ValidationInfo) -> Any:
        kind = cls.model_fields[str(info.field_name)].annotation
        read = READERS.get(kind) if isinstance(kind, type) else None
        return value if read is None else read(value)
