"""Words of guests: what they choose, what answers a question, who calls for a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.script import OTHER, Expects, Step, StepKind, Way
from bots.words import answered, chosen, key_of, wants_person

MENU = Step(
    "menu",
    StepKind.MENU,
    ways=[
        Way("order", "Где мой заказ", ["где заказ", "курьер"]),
        Way("points", "Баланс баллов", ["баланс", "сколько балл"]),
        Way("hours", "Часы работы", ["часы работ", "до скольки"]),
        Way("other", words=[OTHER]),
    ],
)


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("1", "order"),
        (" 2. ", "points"),
        ("кнопка 3", "hours"),
        ("4", None),
        ("9", None),
        ("Где мой заказ", "order"),
        ("где, чёрт возьми, мой ЗАКАЗ?!", "order"),
        ("сколько у меня баллов", "points"),
        ("До скольки вы сегодня", "hours"),
        ("курьера жду", "order"),
        ("почему молоко кислое", "other"),
        ("22", "other"),
        ("", None),
        ("   ", None),
        ("🤷", "other"),
    ],
)
def test_a_menu_is_chosen_from(text, to):
    found = chosen(MENU, text)
    assert (found.to if found else None) == to


def test_a_menu_without_a_way_for_the_rest_does_not_understand_it():
    assert chosen(Step("m", StepKind.MENU, ways=MENU.ways[:3]), "почему молоко кислое") is None


@pytest.mark.parametrize(
    "text", ["оператор", "ОПЕРАТОРА!", "позовите оператору", "operator please", "0", " 0) ", "дайте живого человека", "Оператор"]
)
def test_a_person_is_called(text):
    assert wants_person(text, ["человек", "живого"])


@pytest.mark.parametrize("text", ["10", "00", "операция", "баланс", "", "заказ 0"])
def test_a_person_is_not_called(text):
    assert not wants_person(text, ["человек"])


@pytest.mark.parametrize(
    ("expects", "text", "answer"),
    [
        (Expects.CARD, "моя карта 7700 0000 1234", "770000001234"),
        (Expects.CARD, "7700-0001", "77000001"),
        (Expects.CARD, "не помню", ""),
        (Expects.CARD, "12345", ""),
        (Expects.ORDER, "заказ А-102/7, спасибо", "А-102/7"),
        (Expects.ORDER, "не знаю", ""),
        (Expects.STORE, "  Лесная   12 ", "Лесная 12"),
        (Expects.TEXT, "\n", ""),
        (Expects.PHONE, "+79161234567", ""),
    ],
)
def test_questions_are_answered(expects, text, answer):
    assert answered(expects, text) == answer


@given(st.text(max_size=3000))
def test_no_text_breaks_anything(text):
    assert chosen(MENU, text) in [*MENU.ways, None]
    assert len(key_of(text)) <= 1
    for expects in Expects:
        assert isinstance(answered(expects, text), str)
    assert wants_person(f"{text} оператор", [])
