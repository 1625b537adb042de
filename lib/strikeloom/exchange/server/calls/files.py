"""The security master of one segment."""

from __future__ import annotations

from strikeloom.exchange.server.answers import Answer, data_refused
from strikeloom.exchange.server.call import Call
from strikeloom.exchange.server.master import detailed_master
from strikeloom.exchange.server.packets import SEGMENTS


def segment_master(call: Call) -> Answer:
    """Detailed layout of a segment, as text."""
    segment = call.args[0]
    if segment not in SEGMENTS:
        raise data_refused(814, "Invalid Request")
    text = detailed_master(call.house.market, call.now.date(), segment=segment)
    return Answer(text, content="text/csv")
