"""``config/creation.yaml``: how views are formed, strategies built, filtered and scored."""

from __future__ import annotations

from pydantic import Field

from strikeloom.settings.model import SettingsModel


class RiskProfile(SettingsModel):
    """What a risk appetite lets through."""

    min_probability_of_profit: float = Field(ge=0, le=1)
    unlimited_loss: bool
    min_reward_to_risk: float = Field(ge=0)


class ScoreWeights(SettingsModel):
    """Weights of the score's parts; they are scaled to sum to one."""

    probability: float = Field(ge=0)
    expected_value: float = Field(ge=0)
    view: float = Field(ge=0)
    regime: float = Field(ge=0)
    liquidity: float = Field(ge=0)


class IndexPair(SettingsModel):
    """An index and the volatility index that is calculated from its options."""

    index: str
    volatility: str


class SearchSettings(SettingsModel):
    """How many choices of strikes are tried for a structure."""

    candidates: int = Field(ge=1)
    starts: int = Field(ge=1)
    rounds: int = Field(ge=0)


class CreationSettings(SettingsModel):
    """Strategy creation."""

    max_days_to_expiry: int = Field(ge=1)
    min_lots_traded: int = Field(ge=0)
    view_days: int = Field(ge=5, le=250)
    view_threshold: float = Field(gt=0, lt=1)
    volatility_threshold: float = Field(gt=0, lt=1)
    shocks: list[str]
    search: SearchSettings
    keep_per_symbol: int = Field(ge=1, le=50)
    move_indices: list[IndexPair] = Field(min_length=1)
    risk: str
    profiles: dict[str, RiskProfile]
    weights: ScoreWeights
