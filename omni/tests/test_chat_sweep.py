"""What a marketplace's chats cost: a list of every chat may grow, the questions of an hour may not."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from omni.channels.chat_sweep import EVERY_SECONDS, Chat, ChatPage, History, in_turn, step

START = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
POLL_SECONDS = 30
AT_ONCE = 50
PAGE = 20


class Cabinet:
    """Chats that we have answered and nobody has closed; each question is counted."""

    def __init__(self, chats):
        self.chats, self.questions = [Chat(str(number), "1", "1") for number in range(chats)], 0

    def listed(self, place, *, every):
        self.questions += 1
        chats = self.chats if every else []
        start = int(place or 0)
        return ChatPage(chats[start : start + PAGE], str(start + PAGE) if start + PAGE < len(chats) else "")

    def history(self, chat, start):
        raise AssertionError("no chat has changed")


def questions_of_an_hour(cabinet):
    cursor: Mapping[str, Any] = {"known": {chat.id: [chat.mark, "1"] for chat in cabinet.chats}}
    for seconds in range(0, 3600, POLL_SECONDS):
        for _question in range(AT_ONCE):
            cursor = in_turn(cursor, now=START + timedelta(seconds=seconds))
            page = step(cursor, lambda place, every=cursor["every"]: cabinet.listed(place, every=every), cabinet.history)
            cursor = page.cursor
            if not page.more:
                break
    return cabinet.questions


@pytest.mark.parametrize(("chats", "most"), [(0, 130), (500, 1700), (2000, 2000), (10_000, 2200)])
def test_an_hour_of_looking_at_chats_stays_far_below_the_vendors_limit(chats, most):
    """Yandex Market lets the list be asked for 5000 times an hour; a minute is enough for 500 chats that nobody closes."""
    assert questions_of_an_hour(Cabinet(chats)) <= most


def test_few_chats_are_looked_at_each_minute():
    cursor = {**in_turn({"every_at": START.timestamp()}, now=START), "pages": 3}
    assert in_turn(cursor, now=START + timedelta(seconds=EVERY_SECONDS))["every"]


def test_a_changed_chat_of_the_long_list_is_read():
    cursor: Mapping[str, Any] = {"known": {"1": ["1", "1"]}, "every_at": START.timestamp(), "pages": 40}
    later = START + timedelta(seconds=80)
    assert in_turn(cursor, now=later - timedelta(seconds=1))["every"] is False
    cursor = in_turn(cursor, now=later)
    assert (cursor["every"], cursor["pages"]) == (True, 0)
    page = step(cursor, lambda place: ChatPage([Chat("1", "2"), Chat("2", "9")]), None)
    assert page.cursor["pending"] == [["1", "2", "1"]]
    assert step(page.cursor, None, lambda chat, start: History(None, "2")).cursor["known"] == {"1": ["2", "2"]}
