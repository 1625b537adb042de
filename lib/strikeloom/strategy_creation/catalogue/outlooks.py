"""Views that structures fit."""

from strikeloom.domain.market import Outlook

BULLISH = frozenset({Outlook.BULLISH})
BEARISH = frozenset({Outlook.BEARISH})
NEUTRAL_VIEW = frozenset({Outlook.NEUTRAL})
NOT_BEARISH = frozenset({Outlook.BULLISH, Outlook.NEUTRAL})
NOT_BULLISH = frozenset({Outlook.BEARISH, Outlook.NEUTRAL})
ANY_VIEW = frozenset(Outlook)
