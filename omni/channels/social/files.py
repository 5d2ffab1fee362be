"""Files of guests that a social network names by their address."""

import httpx

from omni.channels.contract import AccountConfig, AttachmentGone, AttachmentTooLarge, InboundAttachment
from omni.channels.http import client_for, connection_of, download, public_or

NO_FILE = ("geo:", "tel:")


def fetch(attachment: InboundAttachment, account: AccountConfig, *, base: str, limit: int) -> bytes:
    """The bytes behind `ref`, at most `limit`, asked for without any key of ours: the address is a guest's or a file server's.

    Raises AttachmentTooLarge, AttachmentGone, httpx.TransportError.
    """
    if attachment.ref.startswith(NO_FILE):
        raise AttachmentGone(f"{attachment.kind} has no file")
    if attachment.size is not None and attachment.size > limit:
        raise AttachmentTooLarge(f"{attachment.size} bytes, at most {limit} are taken")
    connection = connection_of(account, base=base)
    try:
        client = client_for(account, connection, name="files")
        return download(client, attachment.ref, limit=limit, allow=public_or(connection.base))
    except httpx.InvalidURL as error:
        raise AttachmentGone("the address of the file is none") from error
