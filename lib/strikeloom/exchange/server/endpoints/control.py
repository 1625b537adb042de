"""Kill switch, profile, token renewal and registered addresses."""

from __future__ import annotations

import ipaddress

from strikeloom.errors import Rejected
from strikeloom.exchange.server.api_call import ApiCall, bad_field
from strikeloom.exchange.server.responses import ApiResponse, not_offered, refused
from strikeloom.exchange.server.wire_codes import stamp

_SWITCH = {"ACTIVATE": True, "DEACTIVATE": False}


def kill_switch(call: ApiCall) -> ApiResponse:
    """Stop or allow trading for the day; the book must be flat."""
    code = call.query.get("killSwitchStatus", "").upper()
    if code not in _SWITCH:
        raise bad_field("killSwitchStatus", code)
    try:
        call.engine.kill_switch(_SWITCH[code])
    except Rejected as error:
        raise refused("DH-906", str(error)) from error
    status = "activated" if _SWITCH[code] else "deactivated"
    return ApiResponse(
        {
            "dhanClientId": call.client.client_id,
            "killSwitchStatus": f"Kill Switch has been successfully {status}",
        }
    )


def kill_switch_status(call: ApiCall) -> ApiResponse:
    """Whether the kill switch is on."""
    status = "ACTIVATE" if call.engine.kill_switch_on else "DEACTIVATE"
    return ApiResponse({"dhanClientId": call.client.client_id, "killSwitchStatus": status})


def profile(call: ApiCall) -> ApiResponse:
    """Client, and when its token expires."""
    ends = call.exchange.tokens.ends(call.client.client_id)
    return ApiResponse(
        {
            "dhanClientId": call.client.client_id,
            "tokenValidity": f"{ends:%d/%m/%Y %H:%M}",
            "activeSegment": "Derivative",
            "ddpi": "Deactive",
            "mtf": "Deactive",
            "dataPlan": "Active" if call.client.data_plan else "Deactive",
            "dataValidity": f"{ends:%Y-%m-%d %H:%M:%S}.0",
        }
    )


def renew(call: ApiCall) -> ApiResponse:
    """Replace the token; the one used for this call expires."""
    token, ends = call.exchange.tokens.renew(call.client.client_id)
    return ApiResponse(
        {
            "dhanClientId": call.client.client_id,
            "dhanClientName": call.client.name,
            "accessToken": token,
            "expiryTime": f"{ends:%Y-%m-%dT%H:%M:%S}",
        }
    )


def set_ip(call: ApiCall) -> ApiResponse:
    """Register an address from which orders are accepted."""
    flag, text = call.text("ipFlag").upper(), call.text("ip")
    if flag not in ("PRIMARY", "SECONDARY"):
        raise bad_field("ipFlag", flag)
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise bad_field("ip", text) from None
    call.exchange.addresses.setdefault(call.client.client_id, {})[flag] = (text, stamp(call.now))
    return ApiResponse({"message": "IP saved successfully", "status": "SUCCESS"})


def get_ip(call: ApiCall) -> ApiResponse:
    """Registered addresses from which orders are accepted."""
    known = call.exchange.addresses.get(call.client.client_id, {})
    primary, secondary = known.get("PRIMARY", ("", "")), known.get("SECONDARY", ("", ""))
    here = "127.0.0.1"
    matches = not known or here in (primary[0], secondary[0])
    return ApiResponse(
        {
            "primaryIP": primary[0],
            "modifyDatePrimary": primary[1][:10],
            "secondaryIP": secondary[0],
            "modifyDateSecondary": secondary[1][:10],
            "detectedIP": here,
            "ipMatchStatus": "MATCH" if matches else "MISMATCH",
            "ordersAllowed": matches,
        }
    )


def depository(_call: ApiCall) -> ApiResponse:
    """Refuse: shares are not traded here."""
    raise not_offered("depository slips")
