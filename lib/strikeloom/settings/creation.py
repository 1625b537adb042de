"""``config/creation.yaml``: how views are formed, strategies built, filtered and scored."""

from __future__ import annotations

from pydantic import Field, model_validator

from strikeloom.errors import SettingsError
from strikeloom.settings.model import SettingsModel


class RiskProfile(SettingsModel):
    """What a risk appetite lets through, and what it asks for a loss in the tail."""

    min_probability_of_profit: float = Field(ge=0, le=1)
    unhedged: bool
    min_reward_to_risk: float = Field(ge=0)
    errors: float = Field(ge=0)
    max_cost_share: float = Field(gt=0, le=1)
    tail_price: float = Field(ge=0, lt=1)


class FitWeights(SettingsModel):
    """Weights of the components by which a structure fits; scaled to sum to one."""

    probability: float = Field(ge=0)
    risk_reward: float = Field(ge=0)
    direction: float = Field(ge=0)
    iv_fit: float = Field(ge=0)
    liquidity: float = Field(ge=0)
    momentum: float = Field(ge=0)
    time_decay: float = Field(ge=0)
    complexity: float = Field(ge=0)

    @model_validator(mode="after")
    def _some(self) -> FitWeights:
        if not sum(self.model_dump().values()) > 0:
            raise ValueError("the weights are all 0; give one of them a positive weight")
        return self


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
    front_rows: int = Field(ge=1, le=200)
    move_indices: list[IndexPair] = Field(min_length=1)
    risk: str
    profiles: dict[str, RiskProfile]
    fit: float = Field(ge=0)
    weights: FitWeights

    def profile(self, name: str = "") -> RiskProfile:
        """Risk profile of a name; without one the default.

        Raises
        ------
        SettingsError
            When there is no profile of the name; lists those that exist.
        """
        found = self.profiles.get(name or self.risk)
        if found is None:
            raise SettingsError(
                f"risk profile {name or self.risk!r} is not in config/creation.yaml; known: "
                f"{', '.join(self.profiles)}"
            )
        return found
