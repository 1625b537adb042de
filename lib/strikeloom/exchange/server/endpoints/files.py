"""The security master of one segment."""

from __future__ import annotations

from strikeloom.exchange.server.api_call import ApiCall
from strikeloom.exchange.server.packets import SEGMENTS
from strikeloom.exchange.server.responses import ApiResponse, data_refused
from strikeloom.exchange.server.security_master import detailed_master


def segment_master(call: ApiCall) -> ApiResponse:
    """Detailed layout of a segment, as text."""
    segment = call.args[0]
    if segment not in SEGMENTS:
        raise data_refused(814, "Invalid Request")
    text = detailed_master(call.exchange.market, call.now.date(), segment=segment)
    return ApiResponse(text, content="text/csv")
