"""Tokens from a consent, or from PIN and one-time code. None of these values is logged."""

from __future__ import annotations

import hmac
import secrets

from strikeloom.exchange.server.clients import Client
from strikeloom.exchange.server.exchange_state import ExchangeState
from strikeloom.exchange.server.responses import ApiResponse, refused


def generate_consent(exchange: ExchangeState, client_id: str) -> ApiResponse:
    """First step of a login by browser: a consent to be confirmed."""
    client = _known(exchange, client_id)
    consent = secrets.token_hex(16)
    exchange.consents[consent] = client.client_id
    return ApiResponse(
        {"consentAppId": consent, "consentAppStatus": "GENERATED", "status": "success"}
    )


def confirm_consent(exchange: ExchangeState, consent: str) -> str:
    """Second step, confirmed by a person in a browser: returns the one-time token id."""
    client_id = exchange.consents.pop(consent, None)
    if client_id is None:
        raise refused("DH-901", "Consent is invalid or expired", 400)
    token_id = secrets.token_hex(16)
    exchange.consents[token_id] = client_id
    return token_id


def consume_consent(exchange: ExchangeState, token_id: str) -> ApiResponse:
    """Third step: the token itself."""
    client_id = exchange.consents.pop(token_id, None)
    if client_id is None:
        raise refused("DH-901", "Token id is invalid or expired", 400)
    return _token(exchange, _known(exchange, client_id))


def generate_token(exchange: ExchangeState, client_id: str, pin: str, totp: str) -> ApiResponse:
    """Token from PIN and one-time code."""
    client = _known(exchange, client_id)
    configured = client.pin and client.totp
    if not configured or not (
        hmac.compare_digest(client.pin.encode(), pin.encode())
        and hmac.compare_digest(client.totp.encode(), totp.encode())
    ):
        raise refused("DH-901", "Invalid Pin or TOTP", 400)
    return _token(exchange, client)


def _known(exchange: ExchangeState, client_id: str) -> Client:
    client = exchange.tokens.client(client_id)
    if client is None:
        raise refused("DH-901", "Client ID is invalid", 400)
    return client


def _token(exchange: ExchangeState, client: Client) -> ApiResponse:
    token, ends = exchange.tokens.renew(client.client_id)
    return ApiResponse(
        {
            "dhanClientId": client.client_id,
            "dhanClientName": client.name,
            "dhanClientUcc": f"U{client.client_id}",
            "givenPowerOfAttorney": False,
            "accessToken": token,
            "expiryTime": f"{ends:%Y-%m-%dT%H:%M:%S}",
        }
    )
