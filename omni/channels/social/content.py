"""What a message of a social network says: text, attachments, placeholders, put together from its pieces."""

from collections.abc import Iterable
from dataclasses import dataclass

from omni.channels.contract import AttachmentKind, InboundAttachment

# Russian on purpose and not translated per reader: it becomes part of the stored message, like the guest's own words.
EMPTY = "[пустое сообщение]"


@dataclass(frozen=True)
class Content:
    """Text for the feed and files in order."""

    text: str = ""
    attachments: tuple[InboundAttachment, ...] = ()


def labelled(label: str, detail: str = "") -> str:
    """`[label] detail`: what stands in the feed for content that has no text of its own."""
    return f"[{label}] {detail}".rstrip()


def unknown_kind(kind: str) -> str:
    """The placeholder of a kind that the vendor has added since."""
    return labelled(f"сообщение вида «{kind}»")


def joined(pieces: Iterable[Content]) -> Content:
    """The pieces as one content; one that says nothing becomes a visible placeholder."""
    found = list(pieces)
    text = "\n".join(piece.text for piece in found if piece.text)
    attachments = tuple(attachment for piece in found for attachment in piece.attachments)
    return Content(text if text or attachments else EMPTY, attachments)


def linked(
    kind: AttachmentKind, address: str, name: str, *, mime: str = "", size: int | None = None, text: str = "", label: str = ""
) -> Content:
    """A file behind an address; without one only its label is left."""
    if not address:
        return Content(text or labelled(label))
    return Content(text, (InboundAttachment(kind, address, name, mime, size),))


def place(latitude: float | None, longitude: float | None, title: str = "") -> Content:
    """A point on the map as a `geo:` address (RFC 5870): there is no file to fetch."""
    label = "геопозиция"
    if latitude is None or longitude is None:
        return Content(labelled(label, title))
    point = f"{latitude:.6f},{longitude:.6f}"
    return Content(labelled(label, title or point), (InboundAttachment(AttachmentKind.LOCATION, f"geo:{point}", title or point),))


def card(name: str, phone: str) -> Content:
    """Somebody's contact as a `tel:` address (RFC 3966)."""
    text = labelled("контакт", " ".join(part for part in (name, phone) if part))
    attachment = InboundAttachment(AttachmentKind.CONTACT, f"tel:{phone}", name or phone, "text/vcard")
    return Content(text, (attachment,) if phone else ())
