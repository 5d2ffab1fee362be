"""A mail provider's address for keys (RFC 6749 6) and its check of keys (RFC 7662), for one mailbox.

Commands besides the shared ones: `revoke` (the owner takes our right away: refresh tokens and keys are void), `expire` (keys are over
before their time), `rotate` ({"on": bool}: each refresh brings a new refresh token and voids the old one).
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from tests.providers.frame import Reply, Request, json_reply
from tests.providers.polled import ApiError, ApiServer, Perform

USER, CLIENT, SECRET, REFRESH = "help@shop.example", "otklik-client", "otklik-client-secret", "1//refresh-token-0"
SCOPE = "https://mail.example/imap-and-smtp"


class OauthServer(ApiServer):
    """Keys for `user`; `keys` are those that open the mailbox now."""

    name = "oauth"

    def __init__(self, user: str = USER) -> None:
        super().__init__()
        self.user = user
        self.base = ""
        self.keys: set[str] = set()
        self.refresh_tokens = {REFRESH}
        self.rotates = False
        self.commands |= {"revoke": lambda _: self.revoke(), "expire": lambda _: self.keys.clear(), "rotate": self.rotate}

    def start(self, base_url: str) -> None:
        self.base = base_url

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("POST", r"/oauth/token", "token", self.give_key),
            ("POST", r"/oauth/introspect", "introspect", self.introspect),
        )

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        return json_reply({"error": code or "invalid_request", "error_description": text}, status)

    def form(self, request: Request) -> dict[str, str]:
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded") or request.query:
            self.violation(f"{request.path}: not a form, or fields in the address")
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))

    def give_key(self, request: Request, _found: Any) -> Any:
        form = self.form(request)
        if form.get("grant_type") != "refresh_token" or set(form) - {"grant_type", "refresh_token", "client_id", "client_secret", "scope"}:
            self.violation(f"token: {sorted(form)}")
            raise ApiError(400, "Unsupported grant", "unsupported_grant_type")
        if form.get("client_id") != CLIENT or not hmac.compare_digest(form.get("client_secret", ""), SECRET):
            raise ApiError(401, "The OAuth client was not found.", "invalid_client")
        if form.get("scope", SCOPE) != SCOPE:
            raise ApiError(400, "Some requested scopes were invalid", "invalid_scope")
        if form.get("refresh_token") not in self.refresh_tokens:
            raise ApiError(400, "Token has been expired or revoked.", "invalid_grant")
        key = f"ya29.demo-key-{next(self.numbers)}"
        self.keys.add(key)
        self.accepted.add({"method": "token", "refresh_token": form["refresh_token"]})
        return {"access_token": key, "expires_in": 3599, "token_type": "Bearer", "scope": SCOPE} | self.rotated(form["refresh_token"])

    def rotated(self, used: str) -> Mapping[str, str]:
        if not self.rotates:
            return {}
        self.refresh_tokens = {f"1//refresh-token-{next(self.numbers)}"}
        return {"refresh_token": next(iter(self.refresh_tokens))}

    def introspect(self, request: Request, _found: Any) -> Any:
        """What a mail server asks about a key that it was shown."""
        form = self.form(request)
        if form.get("token", "") not in self.keys:
            return {"active": False}
        return {"active": True, "username": self.user, "scope": SCOPE, "client_id": CLIENT}

    def revoke(self) -> None:
        self.keys.clear()
        self.refresh_tokens.clear()

    def rotate(self, what: Mapping[str, Any]) -> None:
        self.rotates = bool(what.get("on"))

    def reset(self) -> None:
        super().reset()
        self.keys.clear()
        self.refresh_tokens, self.rotates = {REFRESH}, False
