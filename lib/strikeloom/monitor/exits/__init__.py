"""Exit rules: frozen values with one pure method each, joined into plans by settings."""

from strikeloom.monitor.exits.catalogue import ExitRule, plan_of
from strikeloom.monitor.exits.days_to_expiry import DaysToExpiry
from strikeloom.monitor.exits.profit_target import ProfitTarget
from strikeloom.monitor.exits.stop_loss import StopLoss

__all__ = ["DaysToExpiry", "ExitRule", "ProfitTarget", "StopLoss", "plan_of"]
