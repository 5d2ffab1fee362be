"""Dialogues go on by their scripts; whatever the guest writes and however the script is made, a person can be had."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from bots import checks, script
from bots.engine import MESSAGE, MOST_MOVES, Facts, Place, Result, Why, begin, begin_with, hand, hear
from bots.script import OTHER, Expects, Script, Step, StepKind, Way
from bots.services import defaults
from bots.skills.registry import outcomes
from bots.summary import described, place_from

OPEN, CLOSED = Facts(), Facts(is_working=False, opens="завтра в 08:00")
SHARED = Facts(phone="+79161234567", can_share_phone=True)


def of(*steps, **fields):
    texts = {"operator_text": "Зову", "misunderstood_text": "Не понял", "closed_text": "Начнут {opens}", "taken_text": "Записал"}
    return Script(name="Проба", start=steps[0].code, steps={step.code: step for step in steps}, **{**texts, **fields})


MENU = Step("menu", StepKind.MENU, "Что нужно?", ways=[Way("ask", "Магазин"), Way("phone", "Баллы"), Way("bye", "Ничего")])
ASK = Step("ask", StepKind.ASK, "Какой магазин?", expects=Expects.STORE, saves_as="store", ways=[Way("look")])
LOOK = Step("look", StepKind.SKILL, skill="stores", topic="opening-hours", ways=[Way("menu", outcome="done"), Way("none", outcome=OTHER)])
NONE = Step("none", StepKind.SAY, "Нет магазина {store}.", ways=[Way("ask")])
PHONE = Step(
    "phone", StepKind.ASK, "Номер?", expects=Expects.PHONE, saves_as="phone", ways=[Way("bye"), Way("person", outcome="impossible")]
)
PERSON = Step("person", StepKind.PERSON, "Соединяю", topic="loyalty", queue="common")
BYE = Step("bye", StepKind.END, "Пока, {phone}")
SCRIPT = of(MENU, ASK, LOOK, NONE, PHONE, PERSON, BYE)


def perform(skill, values):
    return Result("done", "С 8 до 22.") if values.get("store") == "4217" else Result("none")


def talk(words, facts=OPEN, of=SCRIPT):
    turn = begin(of, facts, perform)
    said = [turn.said]
    for text in words:
        assert not turn.ended
        turn = hear(of, turn.place, text, facts, perform)
        said.append(turn.said)
    return turn, said


def texts(said):
    return [one.text for one in said]


def test_a_question_is_asked_and_answered_by_a_skill():
    turn, said = talk(["1", "4217"])
    assert texts(said[1]) == ["Какой магазин?"]
    assert texts(said[2]) == ["С 8 до 22.", "Что нужно?"]
    assert (turn.place.step, turn.place.values["store"], turn.place.path, turn.place.topic) == (
        "menu",
        "4217",
        ("Магазин",),
        "opening-hours",
    )


def test_a_question_answered_in_vain_twice_is_left_to_a_person():
    turn, said = talk(["Магазин", "9999"])
    assert texts(said[2]) == ["Нет магазина 9999.", "Какой магазин?"]
    assert turn.place.misunderstood == 1
    turn = hear(SCRIPT, turn.place, "8888", OPEN, perform)
    assert (turn.handed, texts(turn.said)[-1]) == (Why.MISUNDERSTOOD, "Зову")


def test_twice_not_understood_is_left_to_a_person():
    turn, said = talk(["ы"])
    assert texts(said[1]) == ["Не понял", "Что нужно?"]
    assert hear(SCRIPT, turn.place, "ъ", OPEN, perform).handed is Why.MISUNDERSTOOD
    turn = hear(SCRIPT, turn.place, "1", OPEN, perform)
    assert turn.place.misunderstood == 0, "whoever was understood begins anew"


@pytest.mark.parametrize(("facts", "step", "ended"), [(SHARED, "", True), (Facts(can_share_phone=True), "phone", False)])
def test_a_telephone_that_is_known_is_not_asked_for(facts, step, ended):
    turn, _said = talk(["2"], facts)
    assert (turn.place.step, turn.ended) == (step, ended)
    if ended:
        assert texts(turn.said) == ["Пока, +79161234567"]
    else:
        assert turn.said[-1].asks_phone
        assert hear(SCRIPT, turn.place, "+79161234567", facts, perform).place.step == "phone", (
            "a number that was only written proves nothing"
        )
        assert hear(SCRIPT, turn.place, "", SHARED, perform).ended


def test_where_no_telephone_can_be_shared_another_way_is_taken():
    turn, _said = talk(["2"])
    assert (turn.handed, turn.place.topic, turn.place.queue, texts(turn.said)) == (Why.SCRIPT, "loyalty", "common", ["Соединяю"])


def test_while_nobody_works_a_message_is_taken():
    turn, said = talk(["оператор"], CLOSED)
    assert texts(said[1]) == ["Начнут завтра в 08:00"]
    assert (turn.place.step, turn.handed, turn.ended) == (MESSAGE, None, False)
    turn = hear(SCRIPT, turn.place, "Верните деньги", CLOSED, perform)
    assert (turn.handed, texts(turn.said)) == (Why.MESSAGE, ["Записал"])
    assert "гость попросил оператора" in described("Проба", turn.place, turn.handed)


@pytest.mark.parametrize(
    ("first", "step"),
    [("здравствуйте", "menu"), ("Магазин", "ask"), ("1", "menu"), ("", "menu"), ("покажи магазин рядом", "menu")],
)
def test_first_words_that_choose_are_not_answered_by_the_menu(first, step):
    assert begin_with(SCRIPT, first, OPEN, perform).place.step == step


def test_a_whole_sentence_at_the_beginning_is_a_question():
    menu = Step("menu", StepKind.MENU, "Что?", saves_as="question", ways=[Way("bye", "Пока"), Way("answer", words=[OTHER])])
    answer = Step("answer", StepKind.SKILL, skill="knowledge", ways=[Way("bye")])
    asked = []

    def answering(skill, values):
        asked.append(values["question"])
        return Result("done", "Ответ")

    turn = begin_with(of(menu, answer, BYE), "у меня прокис кефир", OPEN, answering)
    assert (asked, turn.ended, turn.said[0].text) == (["у меня прокис кефир"], True, "Ответ")
    assert begin_with(of(menu, answer, BYE), "добрый день", OPEN, answering).place.step == "menu"


def test_a_circle_is_left_to_a_person():
    one, two = Step("one", StepKind.SAY, "раз", ways=[Way("two")]), Step("two", StepKind.SAY, "два", ways=[Way("one")])
    turn = begin(of(one, two), OPEN, perform)
    assert turn.handed is Why.BROKEN
    assert len(turn.said) <= MOST_MOVES + 1
    assert any("nothing leads" in fault for fault in english(of(one, two)))


def english(dialogue):
    with translation.override("en"):
        return [str(fault) for fault in checks.faults(dialogue, outcomes=outcomes())]


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([Step("a", StepKind.MENU, "?", ways=[Way("b", "Б")])], "which there is not"),
        ([Step("a", StepKind.MENU, "?", ways=[])], "no choices"),
        ([Step("a", StepKind.MENU, "", ways=[Way("a", "А")])], "without words"),
        ([Step("a", StepKind.MENU, "?", ways=[Way("a", str(n)) for n in range(10)])], "at most nine"),
        ([Step("a", StepKind.SKILL, skill="magic", ways=[Way("a")])], "no skill"),
        ([Step("a", StepKind.SKILL, skill="stores", ways=[Way("b", outcome="done")]), Step("b", StepKind.END)], "leads nowhere"),
        ([Step("a", StepKind.SKILL, skill="stores", ways=[Way("b"), Way("b", outcome="gone")]), Step("b", StepKind.END)], "no outcome"),
        ([Step("a", StepKind.ASK, "?", ways=[])], "nothing follows"),
        ([Step("a", StepKind.ASK, "?", expects=Expects.PHONE, ways=[Way("b")]), Step("b", StepKind.END)], "impossible"),
        ([Step("a", StepKind.END), Step("b", StepKind.END)], "never reached"),
    ],
)
def test_faults_are_said_before_guests_meet_them(steps, fault):
    assert any(fault in said for said in english(of(*steps))), english(of(*steps))


def shipped():
    return [json.loads(file.read_text("utf-8")) for file in sorted(Path(defaults.DATA).glob("*.json"))]


def listed(text):
    return [word.strip() for word in text.split(",") if word.strip()]


def as_script(facts):
    version = facts["version"]
    steps = []
    for given_step in version["steps"]:
        ways = (
            [Way(**{**way, "words": [one.strip() for one in way.get("words", "").split(",") if one.strip()]}) for way in given_step["ways"]]
            if "ways" in given_step
            else []
        )
        kind, expects = StepKind(given_step["kind"]), Expects(given_step.get("expects", "text"))
        steps.append(Step(**{**given_step, "kind": kind, "expects": expects, "ways": ways}))
    texts = {name: version[name] for name in ("operator_text", "misunderstood_text", "closed_text", "taken_text", "operator_label")}
    return Script(
        name=facts["name"],
        start=version["start"],
        steps={s.code: s for s in steps},
        operator_words=version["operator_words"].split(", "),
        **texts,
    )


@pytest.mark.parametrize("facts", shipped(), ids=lambda facts: facts["code"])
def test_the_shipped_dialogues_have_no_faults_and_survive_json(facts):
    dialogue = as_script(facts)
    assert english(dialogue) == []
    kept = json.loads(json.dumps(dialogue.as_json()))
    assert script.from_json(kept).as_json() == dialogue.as_json()


CODES = ["a", "b", "c", "d", "e"]
ANY_WAY = st.builds(
    Way,
    to=st.sampled_from([*CODES, "nowhere", ""]),
    label=st.sampled_from(["", "Да", "Нет"]),
    words=st.lists(st.sampled_from(["да", "нет", "*", "", "сколько балл"]), max_size=2),
    outcome=st.sampled_from(["", "done", "*", "impossible"]),
)
ANY_STEP = st.builds(
    Step,
    code=st.sampled_from(CODES),
    kind=st.sampled_from(StepKind),
    text=st.sampled_from(["", "Слова {store}", "{{}} {x"]),
    skill=st.sampled_from(["", "stores", "magic"]),
    expects=st.sampled_from(Expects),
    saves_as=st.sampled_from(["", "store"]),
    ways=st.lists(ANY_WAY, max_size=4),
)
ANY_SCRIPT = st.builds(
    lambda steps, start, most, closed: Script(
        "x", start, {step.code: step for step in steps}, most_misunderstood=most, closed_text=closed, operator_text="Зову"
    ),
    st.lists(ANY_STEP, max_size=6),
    st.sampled_from([*CODES, "nowhere"]),
    st.integers(0, 3),
    st.sampled_from(["", "Закрыто {opens}"]),
)
ANY_FACTS = st.builds(
    Facts, is_working=st.booleans(), opens=st.just("завтра"), phone=st.sampled_from(["", "+79161234567"]), can_share_phone=st.booleans()
)
ANY_WORDS = st.one_of(st.text(max_size=40), st.sampled_from(["1", "2", "да", "нет", "сколько баллов", "7700001234", ""]))


@settings(max_examples=400)
@given(ANY_SCRIPT, st.lists(ANY_WORDS, max_size=8), ANY_FACTS)
def test_whatever_is_written_nothing_breaks_and_a_person_is_one_word_away(dialogue, said, facts):
    turn = begin_with(dialogue, said[0], facts, perform) if said else begin(dialogue, facts, perform)
    for text in said[1:]:
        if turn.ended:
            break
        for call in ("оператор", "0", "OPERATOR"):
            called = hear(dialogue, turn.place, call, facts, perform)
            assert called.handed is not None or called.place.step == MESSAGE
            if called.place.step == MESSAGE and called.handed is None:
                assert not facts.is_working
                assert hear(dialogue, called.place, "сообщение", facts, perform).handed is Why.MESSAGE
        turn = hear(dialogue, turn.place, text, facts, perform)
    assert place_from(json.loads(json.dumps(asdict(turn.place)))) == turn.place
    assert isinstance(described("x", turn.place, turn.handed or Why.SILENT), str)
    assert turn.ended or turn.said, "who is waited for has been told something"


@given(st.sampled_from(CODES), ANY_FACTS)
def test_a_place_that_is_no_more_is_left_to_a_person(step, facts):
    turn = hear(of(Step("z", StepKind.END)), Place(step=step), "привет", facts, perform)
    assert turn.handed is Why.BROKEN or turn.place.step == MESSAGE


def test_a_file_is_left_to_a_person():
    assert hand(SCRIPT, Place(step="menu"), Why.FILE, OPEN, perform).handed is Why.FILE
