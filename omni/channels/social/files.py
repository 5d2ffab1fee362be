"""Files of guests that a social network names by their address, and ours on their way to its upload servers."""

import httpx

from omni.channels.contract import AccountConfig, AttachmentGone, AttachmentTooLarge, InboundAttachment, OutgoingFile
from omni.channels.http import client_for, connection_of, download, json_of, own_host
from omni.channels.json_fields import JsonObject

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
        return download(client, attachment.ref, limit=limit, allow=own_host(connection.base))
    except httpx.InvalidURL as error:
        raise AttachmentGone("the address of the file is none") from error


def upload(account: AccountConfig, address: str, field: str, file: OutgoingFile, *, base: str) -> JsonObject:
    """Hand a file to the upload server that the provider named, without any key of ours; returns its answer.

    Raises httpx.HTTPError, httpx.InvalidURL.
    """
    client = client_for(account, connection_of(account, base=base), name="files")
    response = client.post(address, files=[(field, (file.name or "file", file.data, file.mime or "application/octet-stream"))])
    if response.status_code != 200:
        raise httpx.TransportError(f"HTTP {response.status_code} of the upload server")
    found = json_of(response)
    return found if isinstance(found, dict) else {}
