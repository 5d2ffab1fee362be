"""What the machine says, channel by channel."""

from hypothesis import given
from hypothesis import strategies as st

from bots.engine import Said
from bots.rendering import Word, in_chat, parts, spoken
from omni.channels.keyboards import Keyboard

BUTTONS = [Keyboard(12)]
ASKED = [Said("Готово."), Said("Что ещё?", choices=("Заказ", "Баллы"))]


def test_buttons_where_there_are_some():
    made = in_chat(ASKED, operator="Оператор", keyboards=BUTTONS, limit=4096, waits=True)
    assert made == [Word("Готово."), Word("Что ещё?", ("Заказ", "Баллы", "Оператор"))]


def test_numbers_where_there_are_none():
    made = in_chat(ASKED, operator="Оператор", keyboards=[], limit=4096, waits=True)
    assert made == [Word("Готово."), Word("Что ещё?\n\n1. Заказ\n2. Баллы\n0. Оператор")]


def test_too_many_for_the_channel_become_numbers():
    assert in_chat(ASKED, operator="Оператор", keyboards=[Keyboard(2)], limit=None, waits=True)[-1].text.endswith("0. Оператор")


def test_each_form_has_its_own_limits_and_the_first_that_fits_is_enough():
    forms = [Keyboard(3, 20, 1024), Keyboard(10, 24, 1024)]
    made = in_chat([Said("Что ещё?", choices=("Заказ", "Баллы", "Магазины"))], operator="Оператор", keyboards=forms, limit=4096, waits=True)
    assert made == [Word("Что ещё?", ("Заказ", "Баллы", "Магазины", "Оператор"))]
    long = [Said("Что ещё?", choices=("Заказ", "Баллы и всё, что с ними связано"))]
    assert in_chat(long, operator="Оператор", keyboards=forms, limit=4096, waits=True)[-1].choices == ()
    wordy = [Said("а" * 1025, choices=("Заказ",))]
    assert in_chat(wordy, operator="Оператор", keyboards=forms, limit=4096, waits=True)[-1].text.endswith("1. Заказ\n0. Оператор")


def test_two_answers_that_read_the_same_are_numbered():
    made = in_chat([Said("?", choices=("Да", "Да"))], operator="", keyboards=BUTTONS, limit=100, waits=True)
    assert made == [Word("?\n\n1. Да\n2. Да")]


def test_nobody_is_offered_when_nothing_is_waited_for():
    assert in_chat([Said("Пока")], operator="Оператор", keyboards=BUTTONS, limit=100, waits=False) == [Word("Пока")]


def test_a_question_keeps_the_way_to_a_person():
    assert in_chat([Said("Номер?")], operator="Оператор", keyboards=BUTTONS, limit=100, waits=True) == [Word("Номер?", ("Оператор",))]


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
