"""Responses of the REST calls: bodies with their status, and refusals as the broker words them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from strikeloom.errors import BrokerError

Body = dict[str, Any] | list[Any]

#: Spelling of ``errorType`` by code, as recorded from the broker.
_TYPES: Final = {
    "DH-901": "Invalid_Authentication",
    "DH-902": "Invalid_Access",
    "DH-903": "User_Account",
    "DH-904": "Input_Exception",
    "DH-905": "Input_Exception",
    "DH-906": "Order_Error",
    "DH-907": "Data_Error",
    "DH-908": "Internal_Server_Error",
    "DH-909": "Network_Error",
    "DH-910": "Others",
    "DH-1111": "HOLDING_ERROR",
}
_STATUS: Final = {"DH-901": 401, "DH-902": 403, "DH-904": 429, "DH-908": 500, "DH-909": 502}

UNKNOWN_CLIENT: Final = "Client ID or user generated access token is invalid or expired."
BAD_INPUT: Final = "Missing required fields, bad values for parameters etc."
TOO_MANY: Final = (
    "Too many requests on server from single user breaching rate limits. Try throttling API calls."
)


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """Status and body. Text is sent as it is, with its content type; ``None``: no body."""

    body: Body | str | None
    status: int = 200
    content: str = "application/json"


class ApiRefusal(BrokerError):
    """A call is refused. Carries the response with the error."""

    def __init__(self, message: str, response: ApiResponse) -> None:
        super().__init__(message, status=response.status)
        self.response = response


def error_body(code: str, message: str) -> dict[str, Any]:
    """Error body in the style of the trading calls."""
    kind = _TYPES.get(code, "Others")
    return {"errorType": kind, "errorCode": code, "errorMessage": message}


def refused(code: str, message: str, status: int | None = None) -> ApiRefusal:
    """Refusal in the style of the trading calls."""
    response = ApiResponse(error_body(code, message), status or _STATUS.get(code, 400))
    return ApiRefusal(f"{code}: {message}", response)


def data_refused(code: int, message: str, status: int = 400) -> ApiRefusal:
    """Refusal in the style of the data calls."""
    body = {"status": "failed", "data": {str(code): message}}
    return ApiRefusal(f"{code}: {message}", ApiResponse(body, status))


def not_offered(what: str) -> ApiRefusal:
    """Refusal of a service that this exchange does not have."""
    return refused("DH-902", f"{what} are not offered by this exchange")


def no_data_plan() -> ApiRefusal:
    """Refusal of data without a subscription: a success by its status, as recorded."""
    body = {"errorCode": 806, "errorMessage": "Data APIs not subscribed"}
    return ApiRefusal("806: Data APIs not subscribed", ApiResponse(body))
