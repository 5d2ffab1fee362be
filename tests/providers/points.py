"""A chain's processing of points over HTTP: operations booked once under the caller's id, cards with balances, totals of a day.

`card`: {"number", "balance"} makes a card known. `pending`: {"operations": N} = the next N operations are booked only when asked about.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests.providers.frame import Reply, Request, json_reply
from tests.providers.polled import ApiError, ApiServer, Perform

TOKEN = "demo-points-token"
_ID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"


class PointsServer(ApiServer):
    """One processing. `operations` are what it booked, by id, in the form of its answers; `foreign` answers of the next calls are about
    another operation."""

    name = "points"

    def __init__(self, token: str = TOKEN) -> None:
        super().__init__()
        self.token = token
        self.cards: dict[str, int] = {}
        self.operations: dict[str, dict[str, Any]] = {}
        self.pending = self.foreign = 0
        self.commands |= {"card": self.add_card, "pending": self.set_pending}

    def routes(self) -> Sequence[tuple[str, str, str, Perform]]:
        return (
            ("PUT", rf"/api/operations/{_ID}", "book", self.book),
            ("GET", rf"/api/operations/{_ID}", "find", self.find),
            ("GET", r"/api/cards/([^/]+)", "card", self.card),
            ("GET", r"/api/totals/(\d{4}-\d\d-\d\d)", "totals", self.totals),
        )

    def authorise(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise ApiError(401, "who are you?")

    def error_reply(self, status: int, text: str, code: str = "") -> Reply:
        return json_reply({"code": code or str(status), "text": text}, status)

    def add_card(self, what: Mapping[str, Any]) -> None:
        self.cards[str(what["number"])] = int(what.get("balance", 0))

    def set_pending(self, what: Mapping[str, Any]) -> None:
        self.pending = int(what["operations"])

    def book(self, request: Request, found: "re.Match[str]") -> Any:
        body = self.body_of(request, "card", "points", "made_at")
        id, points = found[1], body["points"]
        if not isinstance(points, int) or isinstance(points, bool) or not points:
            raise self.broken(f"{request.path}: points are a whole number other than 0")
        if datetime.fromisoformat(body["made_at"]).tzinfo is None:
            raise self.broken(f"{request.path}: made_at needs its zone")
        if known := self.operations.get(id):
            same = (known["card"], known["points"]) == (body["card"], points)
            return json_reply({**known, "code": "known"} if same else {"code": "different", "text": "another operation has this id"}, 409)
        if body["card"] not in self.cards:
            raise ApiError(422, "the card is unknown", "no_card")
        if self.cards[body["card"]] + points < 0:
            raise ApiError(422, "the card has less", "not_enough")
        return self._booked(id, body)

    def _booked(self, id: str, body: Mapping[str, Any]) -> Reply:
        state = "pending" if self.pending else "confirmed"
        self.pending = max(0, self.pending - 1)
        operation = {"id": id, "card": body["card"], "points": body["points"], "state": state, "reference": f"P{len(self.operations) + 1}"}
        self.operations[id] = {**operation, "made_at": body["made_at"]}
        self.accepted.add(self.operations[id])
        if state == "confirmed":
            self.cards[body["card"]] += body["points"]
        return json_reply(self._answer(id), 202 if state == "pending" else 201)

    def find(self, request: Request, found: "re.Match[str]") -> Any:
        known = self.operations.get(found[1])
        if known is None:
            raise ApiError(404, "no such operation")
        answer = self._answer(found[1])
        if known["state"] == "pending":
            known["state"] = "confirmed"
            self.cards[known["card"]] += known["points"]
        return answer

    def _answer(self, id: str) -> dict[str, Any]:
        answer = dict(self.operations[id])
        if self.foreign:
            self.foreign -= 1
            answer["id"] = str(UUID(int=7))
        return answer

    def card(self, request: Request, found: "re.Match[str]") -> Any:
        if found[1] not in self.cards:
            raise ApiError(404, "no such card")
        return {"number": found[1], "balance": self.cards[found[1]]}

    def totals(self, request: Request, found: "re.Match[str]") -> Any:
        days = [one for one in self.operations.values() if one["state"] == "confirmed" and _day(one["made_at"]) == found[1]]
        return {"day": found[1], "operations": len(days), "points": sum(one["points"] for one in days)}


def _day(made_at: str) -> str:
    return datetime.fromisoformat(made_at).astimezone(UTC).date().isoformat()
