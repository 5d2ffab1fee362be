"""Multipart bodies (RFC 7578) taken apart with the standard library's parser; names are UTF-8 as clients write them (WHATWG form-data)."""

from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP

from tests.providers.frame import Request


@dataclass(frozen=True)
class Part:
    name: str
    filename: str
    mime: str
    data: bytes


def fields_of(request: Request) -> list[Part]:
    """The parts in their order; none for a body that is not multipart."""
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        return []
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + request.body)
    parts = []
    for part in message.iter_parts():
        where = part.get("content-disposition").params
        data = part.get_payload(decode=True)
        parts.append(Part(where.get("name", ""), where.get("filename", ""), part.get_content_type(), data))
    return parts
