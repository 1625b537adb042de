"""Tokens from consent or from PIN and code. Nothing of these calls is ever logged."""

from __future__ import annotations

import hmac
import secrets

from strikeloom.exchange.server.answers import Answer, refused
from strikeloom.exchange.server.clients import Client
from strikeloom.exchange.server.house import House


def generate_consent(house: House, client_id: str) -> Answer:
    """First step of the browser's way: a consent to be confirmed."""
    client = _known(house, client_id)
    consent = secrets.token_hex(16)
    house.consents[consent] = client.client_id
    return Answer({"consentAppId": consent, "consentAppStatus": "GENERATED", "status": "success"})


def confirm_consent(house: House, consent: str) -> str:
    """Second step, which a person takes in a browser: answers the one-time token id."""
    client_id = house.consents.pop(consent, None)
    if client_id is None:
        raise refused("DH-901", "Consent is invalid or expired", 400)
    token_id = secrets.token_hex(16)
    house.consents[token_id] = client_id
    return token_id


def consume_consent(house: House, token_id: str) -> Answer:
    """Third step: the token itself."""
    client_id = house.consents.pop(token_id, None)
    if client_id is None:
        raise refused("DH-901", "Token id is invalid or expired", 400)
    return _token(house, _known(house, client_id))


def generate_token(house: House, client_id: str, pin: str, totp: str) -> Answer:
    """Token from PIN and one-time code."""
    client = _known(house, client_id)
    right = client.pin and client.totp
    if not right or not (
        hmac.compare_digest(client.pin.encode(), pin.encode())
        and hmac.compare_digest(client.totp.encode(), totp.encode())
    ):
        raise refused("DH-901", "Invalid Pin or TOTP", 400)
    return _token(house, client)


def _known(house: House, client_id: str) -> Client:
    client = house.tokens.client(client_id)
    if client is None:
        raise refused("DH-901", "Client ID is invalid", 400)
    return client


def _token(house: House, client: Client) -> Answer:
    token, ends = house.tokens.renew(client.client_id)
    return Answer(
        {
            "dhanClientId": client.client_id,
            "dhanClientName": client.name,
            "dhanClientUcc": f"U{client.client_id}",
            "givenPowerOfAttorney": False,
            "accessToken": token,
            "expiryTime": f"{ends:%Y-%m-%dT%H:%M:%S}",
        }
    )
