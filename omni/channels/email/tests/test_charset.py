"""Russian text comes out right with right, wrong and no declaration, in bodies, headers and names of files."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.email.addresses import parse_addresses
from omni.channels.email.charset import CYRILLIC, canonical, decode
from omni.channels.email.headers import header_text, mail_date, message_ids, parameters
from omni.channels.email.parsing import parse_mail
from omni.channels.email.tests.builders import COMPLAINT, lines

DECLARED = ["", "utf-8", "us-ascii", "iso-8859-1", "windows-1251", "cp-1251", "koi8-r", "KOI8R", "x-unknown", "_autodetect", "нет такой"]
SUBJECTS = ["Жалоба на магазин", "Не начислили баллы", "ЖАЛОБА НА МАГАЗИН", "Возврат денег за заказ 15", "Где мой заказ?"]


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize("real", CYRILLIC)
@pytest.mark.parametrize("text", [COMPLAINT, *SUBJECTS])
def test_russian_text_whatever_is_declared(text, real, declared):
    assert decode(text.encode(real), declared).text == text


@pytest.mark.parametrize("real", CYRILLIC)
@pytest.mark.parametrize("word", ["Ок", "Да", "Нет", "Спасибо!", "Иван", "Чек", "Возврат", "ДА"])
def test_short_words_rightly_declared(word, real):
    assert decode(word.encode(real), real).text == word


@pytest.mark.parametrize("real", ["cp1251", "koi8-r"])
@pytest.mark.parametrize("word", ["Ок", "Да", "Нет", "Спасибо!", "Иван", "Возврат", "Привет", "жалоба"])
def test_short_words_not_declared(word, real):
    assert decode(word.encode(real)).text == word


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("für Größe und Übermut", "iso-8859-1"),
        ("café crème brûlée, voilà où déjà", "iso-8859-1"),
        ("Ελληνικά κείμενα εδώ", "iso-8859-7"),
        ("Zażółć gęślą jaźń", "iso-8859-2"),
        ("日本語のメール", "iso-2022-jp"),
        ("中文邮件测试内容", "gb18030"),
        ("Привет", "utf-16"),
        ("Привет, +мир", "utf-7"),
    ],
)
def test_other_scripts_stay_as_declared(text, charset):
    assert decode(text.encode(charset), charset).text == text


def test_utf8_wins_over_a_wrong_declaration():
    assert decode(COMPLAINT.encode(), "koi8-r").text == COMPLAINT


def test_utf8_cut_inside_a_character_keeps_the_rest():
    assert decode("Жалоба на магазин".encode()[:-1]).text == "Жалоба на магази\ufffd"


def test_a_footer_in_another_charset():
    glued = (COMPLAINT * 3).encode() + b"\n" + "Проверено антивирусом".encode("cp1251")
    assert decode(glued, "utf-8").text == COMPLAINT * 3 + "\nПроверено антивирусом"


@pytest.mark.parametrize(
    ("written", "name"), [("Win-1251", "cp1251"), ("koi8r", "koi8-r"), ("utf8mb4", "utf-8"), ("x-unknown", ""), ("base64", "")]
)
def test_spellings_of_charsets(written, name):
    assert canonical(written) == name


@given(st.binary(max_size=300), st.text(max_size=20))
def test_any_bytes_give_text_that_can_be_stored(data, declared):
    text = decode(data, declared).text
    assert "\x00" not in text
    text.encode()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff\r\n"), max_size=80))
def test_utf8_comes_back(text):
    assert decode((text + " Здравствуйте").encode()).text == text + " Здравствуйте"


LONG_SUBJECT = "Жалоба на магазин №12 — «Ромашка», и ещё длинный хвост темы"


def words(data, step, charset, encoding="B"):
    pieces = [data[at : at + step] for at in range(0, len(data), step)]
    return b"\r\n ".join(b"=?" + charset.encode() + b"?B?" + base64.b64encode(piece) + b"?=" for piece in pieces)


@pytest.mark.parametrize("step", [1, 5, 7, 30])
def test_header_words_split_inside_a_character(step):
    raw = lines(b"Subject: " + words(LONG_SUBJECT.encode(), step, "utf-8"))
    assert parse_mail(raw).subject == LONG_SUBJECT


def test_header_base64_split_between_words():
    encoded = base64.b64encode(LONG_SUBJECT.encode()).rstrip(b"=")
    value = b" ".join(b"=?utf-8?B?" + encoded[at : at + 7] + b"?=" for at in range(0, len(encoded), 7))
    assert header_text(value) == LONG_SUBJECT


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Жалоба на кассира".encode("koi8-r"), "Жалоба на кассира"),
        ("Жалоба на кассира".encode("cp1251"), "Жалоба на кассира"),
        (b"Re: =?koi8-r?Q?=F0=D2=C9=D7=C5=D4?= =?koi8-r?Q?_=CD=C9=D2?= !", "Re: Привет мир !"),
        (b"=?windows-1251?B?8O7q?==?windows-1251?B?IPLo?=", "рок ти"),
        ("=?utf-8?Q?Где_мой заказ??=".encode(), "Где мой заказ?"),
        (b"=?utf-8*ru?Q?=D0=94=D0=B0?=", "Да"),
        (b"=?no-such?B?////?= tail", "яяя tail"),
        (b"=?utf-8?B?!!!?=", ""),
        (b"=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        (b"a\r\n b", "a b"),
    ],
)
def test_header_texts(value, text):
    assert parse_mail(lines(b"Subject: " + value)).subject == text


@pytest.mark.parametrize(
    "value",
    [
        'attachment; filename="Чек.pdf"'.encode(),
        'attachment; filename="Чек.pdf"'.encode("koi8-r"),
        "attachment; filename=Чек.pdf".encode("cp1251"),
        b"attachment; filename*=utf-8''%D0%A7%D0%B5%D0%BA.pdf",
        b"attachment; filename*0*=utf-8''%D0%A7%D0%B5; filename*1*=%D0%BA; filename*2=.pdf",
        b"attachment; filename*=windows-1251''%D7%E5%EA.pdf; filename=x.pdf",
        b"attachment; filename=x.pdf; filename*=koi8-r'ru'%FE%C5%CB.pdf",
        b'attachment; filename="=?utf-8?B?0KfQtdC6LnBkZg==?="',
        b'attachment; filename="=?koi8-r?Q?=FE=C5=CB=2Epdf?="',
    ],
)
def test_names_of_files(value):
    assert parameters(value) == ("attachment", {"filename": "Чек.pdf"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'"=?utf-8?B?0JjQstCw0L3QvtCyLCDQmNCy0LDQvQ==?=" <ivan@mail.example>', [("Иванов, Иван", "ivan@mail.example")]),
        ("Иван Петров <ivan@MAIL.example>".encode("cp1251"), [("Иван Петров", "ivan@mail.example")]),
        (b"undisclosed-recipients:;", []),
        (b'Team: a@b.example, "X, Y" <c@d.example>; e@f.example', [("", "a@b.example"), ("X, Y", "c@d.example"), ("", "e@f.example")]),
        (b"ivan@mail.example (Ivan)", [("Ivan", "ivan@mail.example")]),
        (b"Ivan Petrov ivan@mail.example", [("Ivan Petrov", "ivan@mail.example")]),
        (b"<>", []),
        (b"ivan@", []),
        (b'"a@b.example" <a@b.example>', [("", "a@b.example")]),
    ],
)
def test_addresses(value, expected):
    assert [(one.name, one.address) for one in parse_addresses(value)] == expected


@given(st.binary(max_size=200))
def test_any_header_bytes(value):
    header_text(value)
    parameters(value)
    mail_date(value)
    message_ids(value)
    assert all("@" in one.address for one in parse_addresses(value))


def test_ids_that_say_nothing_are_no_ids():
    assert message_ids(b"<> < > <a@b> c") == ["a@b"]
