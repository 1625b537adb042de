"""The gate of the page's server: every request passes it before any other code handles it.

The server listens on loopback, yet any page in the user's browser can send requests to it, a
rebound DNS name can point to it, and every user of the machine can connect. So each request, for
the page, its assets, the kernel's socket and its REST calls alike, must

- name this server as its ``Host`` (a rebound name does not),
- carry no ``Origin`` but this server's own, and not be marked cross-site by the browser,
- prove that it knows the token: once in the address that was printed, from then on by a cookie
  that scripts cannot read and other sites cannot send.

Every other request is answered with one sentence, by an application that has no kernel.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import Application, RequestHandler

_LOG = logging.getLogger("strikeloom.page")
_REFUSED = 403

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Gate(Router):
    """Lets a request through to the application, or refuses it.

    Parameters
    ----------
    application : tornado.web.Application
        Handles the requests that pass.
    token : str
        Secret of this server.
    port : int
        Port it listens on.
    """

    def __init__(self, application: Application, token: str, port: int) -> None:
        self._application = application
        self._token = token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"strikeloom-{port}"
        # the cookie's value opens the page, and the token cannot be derived from it
        self._cookie_value = hmac.new(token.encode(), b"page", hashlib.sha256).hexdigest()
        self._answers = Application([(r".*", _Refuse)], log_function=_log)
        self._welcome = Application(
            [(r".*", _Welcome, {"cookie": self._cookie, "value": self._cookie_value})],
            log_function=_log,
        )

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        """Choose the handler: the application, the one that sets the cookie, or the refusal."""
        if not self._is_own_request(request):
            return self._answers.find_handler(request, **kwargs)
        given = parse_qs(request.query).get("token", [""])[0]
        if given and request.method == "GET" and request.path == "/":
            right = hmac.compare_digest(given.encode(), self._token.encode())
            chosen = self._welcome if right else self._answers
            return chosen.find_handler(request, **kwargs)
        if not self._has_token(request):
            return self._answers.find_handler(request, **kwargs)
        return self._application.find_handler(request, **kwargs)

    def _is_own_request(self, request: HTTPServerRequest) -> bool:
        headers = request.headers
        hosts, origins = headers.get_list("Host"), headers.get_list("Origin")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return False
        if any(origin.lower() != f"http://{hosts[0].lower()}" for origin in origins):
            return False
        # set by the browser itself: typed, printed or bookmarked, or from this very page
        return headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")

    def _has_token(self, request: HTTPServerRequest) -> bool:
        scheme, _, word = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "token" and hmac.compare_digest(word.encode(), self._token.encode()):
            return True
        for header in request.headers.get_list("Cookie"):
            try:
                found = SimpleCookie(header).get(self._cookie)
            except CookieError:
                continue
            if found and hmac.compare_digest(found.value.encode(), self._cookie_value.encode()):
                return True
        return False


def _log(handler: RequestHandler) -> None:
    """Log a refused request without the address's query: it may hold the token."""
    if handler.get_status() == _REFUSED:
        request = handler.request
        _LOG.warning("refused %s %s from %s", request.method, request.path, request.remote_ip)


class _Plain(RequestHandler):
    """Answers without the framework's own name and error pages."""

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)

    def check_xsrf_cookie(self) -> None:
        """Needs no check: nothing here changes anything."""


class _Refuse(_Plain):
    """Refuses with one sentence."""

    def prepare(self) -> None:
        self.set_status(_REFUSED)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("Not here. Open the address that `strikeloom monitor` printed.\n")


class _Welcome(_Plain):
    """Takes the token out of the address and leaves the cookie."""

    def initialize(self, cookie: str, value: str) -> None:
        self._cookie, self._value = cookie, value

    def get(self) -> None:
        self.set_cookie(
            self._cookie, self._value, httponly=True, samesite="Strict", path="/", secure=False
        )
        self.redirect("/")
