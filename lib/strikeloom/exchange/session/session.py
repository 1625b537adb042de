"""The parts of one account's trading session, connected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from strikeloom.exchange.account.account import Account
from strikeloom.exchange.conditional.daily_candles import DailyCandles
from strikeloom.exchange.orders.request import ContractList
from strikeloom.exchange.session.adjusting import FindAdjustments, PositionAdjuster
from strikeloom.exchange.session.closing import Closer
from strikeloom.exchange.session.daily_settlement import DailySettler
from strikeloom.exchange.session.expiry import ExpiryProcessor
from strikeloom.exchange.session.intake import OrderIntake
from strikeloom.exchange.session.market_reader import MarketReader
from strikeloom.exchange.session.matcher import Matcher
from strikeloom.exchange.session.replay import Replay
from strikeloom.exchange.session.square_off import SquareOff
from strikeloom.exchange.session.triggers import TriggerEvaluator
from strikeloom.ports.feed import MarketFeed
from strikeloom.ports.history import History


@dataclass(frozen=True)
class TradingSession:
    """One account on one market. Every part works within the caller's transaction."""

    account: Account
    market: MarketReader
    intake: OrderIntake
    closer: Closer
    triggers: TriggerEvaluator
    replay: Replay
    charges_day: date | None


def trading_session(
    account: Account,
    feed: MarketFeed,
    instruments: ContractList | None = None,
    charges_day: date | None = None,
    history: History | None = None,
    adjustments: FindAdjustments | None = None,
) -> TradingSession:
    """Connect the parts; parameters as of ``Engine``."""
    market = MarketReader(feed)
    matcher = Matcher(account, market, charges_day)
    intake = OrderIntake(account, market, matcher, instruments, charges_day)
    closer = Closer(account, intake)
    candles = DailyCandles(history) if history is not None else None
    triggers = TriggerEvaluator(account, market, intake, closer, candles)
    daily = DailySettler(account, feed)
    expiry = ExpiryProcessor(account, feed, daily, charges_day)
    adjuster = PositionAdjuster(account, closer, daily, expiry, adjustments)
    square_off = SquareOff(account, market, intake, closer)
    replay = Replay(account, market, matcher, expiry, triggers, adjuster, square_off)
    return TradingSession(account, market, intake, closer, triggers, replay, charges_day)
