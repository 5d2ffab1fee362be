"""What the machine says, channel by channel."""

from hypothesis import given
from hypothesis import strategies as st

from bots.engine import Said
from bots.rendering import Word, in_chat, parts, spoken

ASKED = [Said("Готово."), Said("Что ещё?", choices=("Заказ", "Баллы"))]


def test_buttons_where_there_are_some():
    made = in_chat(ASKED, operator="Оператор", buttons=12, limit=4096, waits=True)
    assert made == [Word("Готово."), Word("Что ещё?", ("Заказ", "Баллы", "Оператор"))]


def test_numbers_where_there_are_none():
    made = in_chat(ASKED, operator="Оператор", buttons=0, limit=4096, waits=True)
    assert made == [Word("Готово."), Word("Что ещё?\n\n1. Заказ\n2. Баллы\n0. Оператор")]


def test_too_many_for_the_channel_become_numbers():
    assert in_chat(ASKED, operator="Оператор", buttons=2, limit=None, waits=True)[-1].text.endswith("0. Оператор")


def test_nobody_is_offered_when_nothing_is_waited_for():
    assert in_chat([Said("Пока")], operator="Оператор", buttons=12, limit=100, waits=False) == [Word("Пока")]


def test_a_question_keeps_the_way_to_a_person():
    assert in_chat([Said("Номер?")], operator="Оператор", buttons=12, limit=100, waits=True) == [Word("Номер?", ("Оператор",))]


def test_the_keys_are_read_aloud():
    said = Said("Добрый день!", choices=("О заказе", "О баллах"))
    assert spoken(said, operator="Оператор", with_keys=True) == (
        "Добрый день! О заказе — нажмите 1. О баллах — нажмите 2. Оператор — нажмите 0."
    )


@given(st.text(max_size=500), st.integers(1, 60))
def test_long_texts_are_cut_and_nothing_is_lost(text, limit):
    made = parts(text, limit)
    assert all(len(part) <= limit for part in made)
    assert "".join("".join(made).split()) == "".join(text.split())
