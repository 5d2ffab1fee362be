"""Proofs of who the visitor is: good ones, forged ones, old ones."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.refusal import Refusal
from omni.chat.identity import check, hash_of

KEY, SITE = "demo-widget-secret", "shop"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VECTOR = "eb1642a6c37fc3752f385342c447ea5593b780a70550c1ac0fcde45a5afe09b2"


def token(key=KEY, algorithm="HS256", **changes):
    issued = int(NOW.timestamp())
    claims = {"sub": "card:1", "aud": SITE, "iat": issued, "exp": issued + 300, "jti": "0123456789abcdef", **changes}
    return {"token": jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm=algorithm)}


def test_the_hash_is_the_published_one():
    assert hash_of(KEY, "card:7700001") == VECTOR
    assert check({"external_id": "card:7700001", "hash": VECTOR.upper()}, key=KEY, site_key=SITE, now=NOW).external_id == "card:7700001"


@pytest.mark.parametrize(
    "given",
    [
        {"external_id": "card:7700002", "hash": VECTOR},
        {"external_id": "card:7700001", "hash": VECTOR[:-1] + "0"},
        {"external_id": "card:7700001", "hash": ""},
        {"external_id": "card:7700001"},
        {"external_id": 7700001, "hash": VECTOR},
        {"external_id": "visitor:abc", "hash": hash_of(KEY, "visitor:abc")},
        {"external_id": "", "hash": hash_of(KEY, "")},
        {"external_id": "card:1\n", "hash": hash_of(KEY, "card:1\n")},
        {},
        "card:7700001",
        ["card:7700001", VECTOR],
        {"token": None},
        {"token": "a.b.c"},
        token(key="another key"),
        token(algorithm="HS384"),
        token(aud="another-site"),
        token(sub=None),
        token(jti=None),
        token(exp=None),
        token(iat=None),
        token(jti="short"),
        token(jti="x" * 65),
        token(sub="visitor:abc"),
        token(exp=int((NOW + timedelta(minutes=11)).timestamp())),
        token(iat=int((NOW + timedelta(minutes=5)).timestamp())),
        token(iat=10**18),
    ],
)
def test_what_is_forged_is_refused(given):
    with pytest.raises(Refusal) as refused:
        check(given, key=KEY, site_key=SITE, now=NOW)
    assert (refused.value.code, refused.value.status) == ("identity_wrong", 403)


def test_an_unsigned_token_is_refused():
    with pytest.raises(Refusal) as refused:
        check(token(key=None, algorithm="none"), key=KEY, site_key=SITE, now=NOW)
    assert refused.value.code == "identity_wrong"


@pytest.mark.parametrize(("later", "good"), [(0, True), (299, True), (300, False), (86400, False)])
def test_a_signed_token_ends(later, good):
    moment = NOW + timedelta(seconds=later)
    if good:
        assert check(token(), key=KEY, site_key=SITE, now=moment).nonce == "0123456789abcdef"
        return
    with pytest.raises(Refusal) as refused:
        check(token(), key=KEY, site_key=SITE, now=moment)
    assert refused.value.code == "identity_expired"


@pytest.mark.parametrize(("phone", "kept"), [("+79001234567", "+79001234567"), ("89001234567", ""), ("+7 900", ""), (None, "")])
def test_a_telephone_is_taken_in_one_form_only(phone, kept):
    assert check(token(phone=phone, name="Анна"), key=KEY, site_key=SITE, now=NOW).phone == kept


def test_without_a_key_nobody_is_signed_in():
    with pytest.raises(Refusal) as refused:
        check({"external_id": "card:1", "hash": hash_of("", "card:1")}, key="", site_key=SITE, now=NOW)
    assert refused.value.code == "identity_off"


@given(st.text(), st.text(max_size=80))
def test_no_guess_is_taken_for_a_proof(external_id, proof):
    with pytest.raises(Refusal):
        check({"external_id": external_id, "hash": proof}, key=KEY, site_key=SITE, now=NOW)
