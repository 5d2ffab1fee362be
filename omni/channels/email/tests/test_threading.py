"""Which conversation a mail belongs to: signed ids and tokens in their order of trust, forged ones told."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.email.parsing import parse_mail
from omni.channels.email.tests.builders import DOMAIN, SECRET, simple
from omni.channels.email.threading import (
    bare_subject,
    message_id,
    plus_address,
    read_key,
    return_address,
    returned_keys,
    subject_token,
    thread_keys,
    token_part,
    unverified_keys,
)

PLUS = plus_address(SECRET, "123456", "reply@shop.example")
ID = message_id(SECRET, "123456", "m1", DOMAIN)
LATER_ID = message_id(SECRET, "777", "m2", DOMAIN)
TOKEN = subject_token(SECRET, "123456")


def found(*more, subject="Заказ", secret=SECRET):
    keys = thread_keys(parse_mail(simple("x", *more, subject=subject)), secret, [DOMAIN])
    return [str(key) for key in keys.keys], keys.defects


def test_forms():
    assert PLUS.startswith("reply+123456.")
    assert PLUS.endswith("@shop.example")
    assert len(PLUS.split("@")[0]) <= 64
    assert ID.startswith("123456.m1.")
    assert TOKEN.startswith("[#123456-")
    assert len(TOKEN) == len("[#123456-ab12cd]")


@pytest.mark.parametrize("header", ["Cc", "Delivered-To", "X-Original-To"])
def test_plus_address(header):
    assert found(f"{header}: Support <{PLUS}>") == (["plus:123456"], ())


def test_plus_address_in_capitals():
    assert found(f"Cc: {PLUS.upper()}")[0] == ["plus:123456"]


@pytest.mark.parametrize("header", ["In-Reply-To", "References"])
def test_our_id(header):
    assert found(f"{header}: <{ID}>") == (["message-id:123456.m1"], ())


def test_order_of_trust():
    keys, _ = found(f"References: <{ID}> <x@mail.example> <{LATER_ID}>", f"Cc: {PLUS}", subject=f"Re: {TOKEN}")
    assert keys == ["plus:123456", "message-id:777.m2", "message-id:123456.m1", "subject:123456"]


@pytest.mark.parametrize("prefix", ["", "Re: ", "RE[2]: ", "Ответ: ", "HA: ", "На: ", "Fwd: ", "FW: ", "Пересл: ", "Re: Fwd: Ответ: "])
def test_subject_token(prefix):
    assert found(subject=f"{prefix}Заказ {TOKEN}") == (["subject:123456"], ())
    assert bare_subject(f"{prefix}Заказ {TOKEN}") == "Заказ"


@pytest.mark.parametrize("subject", ["Заказ", "Re: Заказ", "[#123456]", "[#123456-zzzzzz]", "Заказ 123456"])
def test_never_by_subject_alone(subject):
    assert found(subject=subject) == ([], ())


@pytest.mark.parametrize("value", ["", "<>", "<> <>", "< >", "<@>", "<@shop.example>"])
def test_empty_ids_match_nothing(value):
    assert found(f"In-Reply-To: {value}", f"References: {value}") == ([], ())


@pytest.mark.parametrize(
    "more",
    [
        [f"In-Reply-To: <{ID.replace('123456', '123457')}>"],
        [f"References: <{message_id('other', '123456', 'm1', DOMAIN)}>"],
        [f"Cc: {plus_address('other', '123456', 'reply@shop.example')}"],
        [f"In-Reply-To: <{message_id(SECRET, '123456', 'm1', DOMAIN).replace('.m1.', '.m9.')}>"],
    ],
)
def test_forged_tokens_are_left_out_and_told(more):
    keys, defects = found(*more)
    assert keys == []
    assert len(defects) == 1
    assert defects[0].startswith("forged thread token")


def test_forged_subject_token():
    digits = "000000" if "000000" not in TOKEN else "111111"
    assert found(subject=f"Re: [#123456-{digits}]") == ([], ("forged thread token in the subject: 123456",))


def test_our_ids_under_a_foreign_domain_are_foreign():
    assert found(f"In-Reply-To: <{message_id(SECRET, '1', 'm', 'evil.example')}>") == ([], ())


def test_without_a_key_nothing_is_verified():
    assert found(f"In-Reply-To: <{message_id('', '1', 'm', DOMAIN)}>", secret="")[0] == []


def test_a_token_of_one_kind_is_none_of_another():
    signature = ID.split(".")[2].split("@")[0]
    assert found(f"Cc: reply+123456.{signature}@shop.example")[0] == []


def test_unverified_keys_as_found():
    mail = parse_mail(
        simple("x", f"Cc: {PLUS}", "In-Reply-To: <a@b.example>", "References: <c@d.example> <a@b.example>", subject=f"Re: {TOKEN}")
    )
    assert unverified_keys(mail) == [f"plus:{PLUS}", "message-id:<a@b.example>", "message-id:<c@d.example>", f"subject:{TOKEN}"]


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_any_conversation_and_message_come_back(session, message):
    key = thread_keys(parse_mail(simple("x", f"In-Reply-To: <{message_id(SECRET, session, message, DOMAIN)}>")), SECRET, [DOMAIN]).keys[0]
    assert (key.session, key.message) == (token_part(session), token_part(message))
    assert read_key(str(key)) == key


@pytest.mark.parametrize("written", ["", "plus:", "x:1", "123"])
def test_what_is_no_key(written):
    with pytest.raises(ValueError, match="not a thread key"):
        read_key(written)


@given(st.uuids(), st.text(max_size=8))
def test_a_return_address_names_its_message_and_no_other_secret_reads_it(message, other):
    address = return_address(SECRET, str(message), f"help@{DOMAIN}")
    assert len(address.rpartition("@")[0]) <= 64
    mail = parse_mail(simple("x", f"Delivered-To: {address}"))
    [key] = returned_keys(mail, SECRET, [DOMAIN]).keys
    assert UUID(read_key(str(key)).message) == message
    assert not thread_keys(mail, SECRET, [DOMAIN]).keys, "it is no conversation's address"
    assert returned_keys(mail, other, [DOMAIN]).keys == ()
    assert returned_keys(mail, SECRET, ["elsewhere.example"]).keys == ()
