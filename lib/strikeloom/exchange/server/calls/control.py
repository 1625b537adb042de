"""Trader's control, profile, addresses: what is neither an order nor a price."""

from __future__ import annotations

import ipaddress

from strikeloom.errors import Rejected
from strikeloom.exchange.server.answers import Answer, not_offered, refused
from strikeloom.exchange.server.call import Call, bad_field
from strikeloom.exchange.server.words import stamp

_SWITCH = {"ACTIVATE": True, "DEACTIVATE": False}


def kill_switch(call: Call) -> Answer:
    """Stop or allow trading for the day; the book must be flat."""
    word = call.query.get("killSwitchStatus", "").upper()
    if word not in _SWITCH:
        raise bad_field("killSwitchStatus", word)
    try:
        call.engine.kill_switch(_SWITCH[word])
    except Rejected as error:
        raise refused("DH-906", str(error)) from error
    said = "activated" if _SWITCH[word] else "deactivated"
    return Answer(
        {
            "dhanClientId": call.client.client_id,
            "killSwitchStatus": f"Kill Switch has been successfully {said}",
        }
    )


def kill_switch_status(call: Call) -> Answer:
    """Whether trading is stopped."""
    word = "ACTIVATE" if call.engine.kill_switch_on else "DEACTIVATE"
    return Answer({"dhanClientId": call.client.client_id, "killSwitchStatus": word})


def profile(call: Call) -> Answer:
    """Client and how long the token lives."""
    ends = call.house.tokens.ends(call.client.client_id)
    return Answer(
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


def renew(call: Call) -> Answer:
    """Make a new token; the one used for this call dies."""
    token, ends = call.house.tokens.renew(call.client.client_id)
    return Answer(
        {
            "dhanClientId": call.client.client_id,
            "dhanClientName": call.client.name,
            "accessToken": token,
            "expiryTime": f"{ends:%Y-%m-%dT%H:%M:%S}",
        }
    )


def set_ip(call: Call) -> Answer:
    """Name an address that orders may come from."""
    flag, text = call.text("ipFlag").upper(), call.text("ip")
    if flag not in ("PRIMARY", "SECONDARY"):
        raise bad_field("ipFlag", flag)
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise bad_field("ip", text) from None
    call.house.addresses.setdefault(call.client.client_id, {})[flag] = (text, stamp(call.now))
    return Answer({"message": "IP saved successfully", "status": "SUCCESS"})


def get_ip(call: Call) -> Answer:
    """Addresses that orders may come from."""
    known = call.house.addresses.get(call.client.client_id, {})
    primary, secondary = known.get("PRIMARY", ("", "")), known.get("SECONDARY", ("", ""))
    here = "127.0.0.1"
    matches = not known or here in (primary[0], secondary[0])
    return Answer(
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


def depository(_call: Call) -> Answer:
    """Refuse: shares are not traded here."""
    raise not_offered("depository slips")
