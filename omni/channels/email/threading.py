"""Our own ids and tokens in outgoing mails, signed, and the ones an incoming mail refers to.

An id that can be guessed lets a stranger write into another guest's conversation, so every one is signed (HMAC-SHA256, cut). A subject
alone never joins mails. A matching key tells which conversation is meant, not who writes: the caller still compares the sender.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from omni.channels.email.parsing import Mail

PLUS, MESSAGE_ID, SUBJECT, RETURN = "plus", "message-id", "subject", "return"
# Hexadecimal digits of each signature: a subject is read aloud and typed, ids and addresses are not.
_DIGITS = {PLUS: 16, MESSAGE_ID: 16, SUBJECT: 6, RETURN: 16}
_PART = r"[A-Za-z0-9_-]{1,64}"
_OWN_ID = re.compile(rf"({_PART})\.({_PART})\.([0-9a-f]{{16}})@([^@\s]+)", re.IGNORECASE)
_OWN_PLUS = re.compile(rf"[^@\s+]+\+({_PART})\.([0-9a-f]{{16}})@([^@\s]+)", re.IGNORECASE)
# No `=` in an address of a conversation, so that neither is taken for the other.
_OWN_RETURN = re.compile(rf"[^@\s+]+\+r=({_PART})\.([0-9a-f]{{16}})@([^@\s]+)", re.IGNORECASE)
_NO_SESSION = "-"
_OWN_SUBJECT = re.compile(rf"\[#\s?({_PART})-([0-9a-f]{{6}})\]", re.IGNORECASE)
_PREFIX = re.compile(
    r"\s*(?:(?:re|aw|sv|fwd?|на|ha|отв|ответ|пересл|пер|переслано|fw)\s*(?:\[\d+\]|\(\d+\))?\s*[:：]|\[(?:external|внешнее|spam|спам)\])\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ThreadKey:
    """Our conversation `session`, and `message` of it where the reference names one. `kind` is where it was found."""

    kind: str
    session: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.session}.{self.message}" if self.message else f"{self.kind}:{self.session}"


@dataclass(frozen=True)
class ThreadKeys:
    """Verified keys, most trusted first, and what was forged, in words."""

    keys: tuple[ThreadKey, ...]
    defects: tuple[str, ...] = ()


def read_key(written: str) -> ThreadKey:
    """The key that `str(key)` wrote. Raises ValueError for anything else."""
    kind, colon, rest = written.partition(":")
    session, _, message = rest.partition(".")
    if kind not in _DIGITS or not colon or not session:
        raise ValueError(f"not a thread key: {written[:80]!r}")
    return ThreadKey(kind, session, message)


def sign(secret: str, kind: str, *parts: str) -> str:
    """The signature of `parts` as a token of `kind`, in lower-case hexadecimal digits."""
    words = "\x00".join((kind, *(part.lower() for part in parts)))
    return hmac.new(secret.encode(), words.encode(), hashlib.sha256).hexdigest()[: _DIGITS[kind]]


def token_part(value: str) -> str:
    """`value` as it may stand in our ids: itself, or a digest when it has other characters than letters, digits, - and _."""
    if re.fullmatch(rf"{_PART}", value):
        return value
    return hashlib.sha256(value.encode()).hexdigest()[:32]


def message_id(secret: str, session: str, message: str, domain: str) -> str:
    """The Message-ID of our message, without brackets: stable, so that a repeated send is the same mail to whoever gets it."""
    session, message = token_part(session), token_part(message)
    return f"{session}.{message}.{sign(secret, MESSAGE_ID, session, message)}@{domain}"


def plus_address(secret: str, session: str, address: str) -> str:
    """Our `address` with the conversation in it: help@shop -> help+<session>.<signature>@shop."""
    session = token_part(session)
    local, _, domain = address.rpartition("@")
    return f"{local}+{session}.{sign(secret, PLUS, session)}@{domain}"


def return_address(secret: str, message: str, address: str) -> str:
    """Where a mail of ours comes back to when it cannot be delivered (VERP): help@shop -> help+r=<message>.<signature>@shop.

    A message's id is cut to its 32 digits: a local part has at most 64 characters (RFC 5321 4.5.3.1).
    """
    message = token_part(message.replace("-", ""))
    local, _, domain = address.rpartition("@")
    return f"{local}+r={message}.{sign(secret, RETURN, message)}@{domain}"


def returned_keys(mail: Mail, secret: str, own_domains: Collection[str]) -> ThreadKeys:
    """The keys of a mail that came back to the address of one message of ours, whatever is left of that message in it."""
    domains = {domain.lower() for domain in own_domains}
    found = [one for address in _recipients(mail) if (one := _OWN_RETURN.fullmatch(address)) and one[3].lower() in domains]
    genuine = {one[1]: bool(secret) and _signed(secret, RETURN, one[2], one[1]) for one in found}
    keys = [ThreadKey(RETURN, _NO_SESSION, message) for message, is_ours in genuine.items() if is_ours]
    forged = [f"forged thread token in the return address: {message}" for message, is_ours in genuine.items() if not is_ours]
    return ThreadKeys(tuple(keys), tuple(forged))


def subject_token(secret: str, session: str) -> str:
    """The mark of the conversation in a subject: [#123456-ab12cd]."""
    session = token_part(session)
    return f"[#{session}-{sign(secret, SUBJECT, session)}]"


def bare_subject(subject: str) -> str:
    """A subject without our token and without «Re:», «Ответ:», «HA:», «Fwd:», «Пересл:», for showing and for answering."""
    text = _OWN_SUBJECT.sub("", subject)
    while (found := _PREFIX.match(text)) and found.end():
        text = text[found.end() :]
    return " ".join(text.split())


def thread_keys(mail: Mail, secret: str, own_domains: Collection[str]) -> ThreadKeys:
    """Our keys in a mail: plus address, then In-Reply-To, then References from last to first, then the subject's token.

    A token that looks ours but is not signed by `secret` is left out and told in `defects`. Without a secret nothing is verified.
    """
    domains = {domain.lower() for domain in own_domains}
    keys: list[ThreadKey] = []
    forged: list[str] = []
    for key, signature in _candidates(mail, domains):
        if secret and _genuine(key, signature, secret):
            keys.append(key)
        else:
            forged.append(f"forged thread token in {_WHERE[key.kind]}: {key.session}")
    return ThreadKeys(tuple(dict.fromkeys(keys)), tuple(dict.fromkeys(forged)))


_WHERE = {PLUS: "the address", MESSAGE_ID: "the references", SUBJECT: "the subject"}


def unverified_keys(mail: Mail) -> list[str]:
    """Everything in a mail that may tell its conversation, as written and unchecked, in the order of trust."""
    found = [f"{PLUS}:{one}" for one in _recipients(mail) if _OWN_PLUS.fullmatch(one)]
    found += [f"{MESSAGE_ID}:<{one}>" for one in _references(mail)]
    found += [f"{SUBJECT}:{token.group()}" for token in _OWN_SUBJECT.finditer(mail.subject)]
    return list(dict.fromkeys(found))


def _candidates(mail: Mail, domains: set[str]) -> Iterator[tuple[ThreadKey, str]]:
    """What looks ours, with the signature it carries."""
    for address in _recipients(mail):
        found = _OWN_PLUS.fullmatch(address)
        if found and found[3].lower() in domains:
            yield ThreadKey(PLUS, found[1]), found[2]
    for identifier in _references(mail):
        found = _OWN_ID.fullmatch(identifier)
        if found and found[4].lower() in domains:
            yield ThreadKey(MESSAGE_ID, found[1], found[2]), found[3]
    for found in _OWN_SUBJECT.finditer(mail.subject):
        yield ThreadKey(SUBJECT, found[1]), found[2]


def _genuine(key: ThreadKey, signature: str, secret: str) -> bool:
    return _signed(secret, key.kind, signature, *((key.session, key.message) if key.message else (key.session,)))


def _signed(secret: str, kind: str, signature: str, *parts: str) -> bool:
    return hmac.compare_digest(sign(secret, kind, *parts), signature.lower())


def _recipients(mail: Mail) -> list[str]:
    """Where the mail was delivered to and addressed to."""
    return [one.address for one in (*mail.delivered_to, *mail.to, *mail.cc)][:200]


def _references(mail: Mail) -> list[str]:
    return [*mail.in_reply_to, *reversed(mail.references)][:200]
