"""What a guest wrote, without quotes and signature: a table of hard mails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.email.html import html_to_text
from omni.channels.email.quotes import fold, visible_text
from omni.channels.email.tests.quote_cases import cases

TEXTS, HTML = cases("quotes.txt"), cases("quotes_html.txt")


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_plain_text(text, expected):
    assert visible_text(text).strip() == expected


@pytest.mark.parametrize(("html", "expected"), HTML)
def test_html(html, expected):
    text = html_to_text(html)
    assert visible_text(text, html, from_html=True) == (text if expected == html.strip() else expected)


def test_the_tables_are_large_enough():
    assert len(TEXTS) + len(HTML) >= 60


def test_html_structure_helps_when_the_plain_text_shows_no_header():
    html = '<p>Да.</p><blockquote type="cite"><p>Это вы?</p></blockquote>'
    assert visible_text("Да.\n\nЭто вы?", html) == "Да."


def test_inline_answers_in_plain_text_are_kept_whatever_the_html():
    text = "> Когда?\nВчера\n> Где?\nНа Ленина"
    assert visible_text(text, "<blockquote type=cite>Когда?</blockquote>Вчера<blockquote type=cite>Где?</blockquote>На Ленина") == text


LINES = st.sampled_from(
    [
        "",
        "> цитата",
        "Ответ",
        "-- ",
        "С уважением,",
        "Иван",
        "пн, 3 мар. 2026 г. в 12:40, X <a@b.ru>:",
        "От: X",
        "Кому: Y",
        "Тема: Z",
        "-----Исходное сообщение-----",
    ]
)


@given(st.lists(LINES, max_size=12).map("\n".join))
def test_nothing_is_invented_and_nothing_becomes_empty(text):
    visible = fold(text).visible
    assert bool(visible.strip()) == bool(text.strip())
    assert set(visible.split("\n")) <= {
        *text.split("\n"),
        *(line.rstrip() for line in text.split("\n")),
        *(line.strip() for line in text.split("\n")),
    }


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_text_and_html(text, html):
    assert bool(visible_text(text, html).strip()) >= bool(text.strip())
