"""Files for providers that take no upload but fetch an address: signed, for a while, only what is stored."""

import hashlib
from datetime import datetime, timedelta
from urllib.parse import quote

from django.conf import settings
from django.core import signing
from django.urls import reverse

from omni.channels.contract import OutgoingFile

SALT = "omni.published"
NAME_CHARACTERS = 100


class NotPublished(Exception):
    """The address was not made by us, or its time is over."""


def address_of(file: OutgoingFile, *, now: datetime, lasting: timedelta) -> str:
    """An address under PUBLIC_URL where the stored file with these bytes can be fetched for as long as `lasting`."""
    until = int((now + lasting).timestamp())
    token = signing.dumps([hashlib.sha256(file.data).hexdigest(), until], salt=SALT)
    name = quote((file.name or "file").replace("/", "_")[-NAME_CHARACTERS:])
    return f"{settings.PUBLIC_URL}{reverse('published-file', kwargs={'token': token})}{name}"


def digest_in(token: str, *, now: datetime) -> str:
    """The SHA-256 of the file that an address names. Raises NotPublished."""
    try:
        digest, until = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError) as fault:
        raise NotPublished from fault
    if not isinstance(digest, str) or not isinstance(until, int) or now.timestamp() > until:
        raise NotPublished
    return digest
