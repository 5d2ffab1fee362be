"""Pages inside the event loop: what is asked and answered comes over whole, in parts and broken off."""

import asyncio
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from config.bridge import AHEAD, Pages

SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "POST",
    "path": "/",
    "query_string": b"",
    "http_version": "1.1",
    "headers": [],
    "scheme": "http",
}
START = ("200 OK", [("Content-Type", "text/plain")])


def ask(app: Any, *parts: bytes | None) -> list[Any]:
    """What the client gets who sends these parts of a body; None = gone."""
    last = len(parts) - 1
    coming: list[dict[str, Any]] = [
        {"type": "http.disconnect"} if part is None else {"type": "http.request", "body": part, "more_body": at < last}
        for at, part in enumerate(parts)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Pages(app, workers=1)(SCOPE, receive, send))
    return sent


def content(sent: list[Any]) -> bytes:
    return b"".join(one.get("body", b"") for one in sent)


class Echo:
    """Says what it read."""

    def __init__(self, answer: Any = HttpResponse) -> None:
        self.answer = answer
        self.closed = 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        answer = self.answer(environ["wsgi.input"].read())
        answer.close = self.close
        start_response(*START)
        return answer

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("parts", [(b"",), (b"all",), (b"a", b"bc", b"", b"d"), (b"a" * AHEAD, b"b" * AHEAD, b"c")])
def test_a_body_comes_whole_however_it_is_cut(parts: tuple[bytes, ...]) -> None:
    app = Echo()
    sent = ask(app, *parts)
    assert [one["type"] for one in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], sent[0]["headers"]) == (200, [(b"content-type", b"text/plain")])
    assert content(sent) == b"".join(parts)
    assert app.closed == 1


def test_a_stream_goes_out_part_by_part() -> None:
    app = Echo(lambda body: StreamingHttpResponse([body[:2], body[2:]]))
    sent = ask(app, b"abcd")
    assert [one.get("body") for one in sent] == [None, b"ab", b"cd", b""]
    assert [one.get("more_body", False) for one in sent] == [False, True, True, False]
    assert app.closed == 1


def test_an_application_that_is_no_page_of_ours_is_a_stream() -> None:
    def plain(_environ: Any, start_response: Any) -> list[bytes]:
        start_response(*START)
        return [b"a", b"b"]

    assert content(ask(plain, b"")) == b"ab"


def test_half_a_body_is_no_body() -> None:
    app = Echo()
    assert ask(app, b"half", None) == []
    assert app.closed == 0


def test_who_leaves_in_the_middle_of_a_large_body_is_told_of_to_the_page() -> None:
    told: list[type[Exception]] = []

    def page(environ: Any, start_response: Any) -> HttpResponse:
        try:
            environ["wsgi.input"].read()
        except OSError as fault:
            told.append(type(fault).__mro__[1])
        start_response("400 Bad Request", [])
        return HttpResponse()

    ask(page, b"a" * AHEAD, None)
    assert told == [OSError]


def test_a_page_that_fails_fails_before_anything_is_said() -> None:
    def page(_environ: Any, _start_response: Any) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(page, b"")
