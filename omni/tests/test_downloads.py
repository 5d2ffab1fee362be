"""Files fetched by an address from a payload: never from our own network, never more than the limit, however they are packed."""

import gzip
import socket

import brotli  # type: ignore[import-untyped]
import httpx
import pytest

from omni.channels.contract import AccountConfig, AttachmentGone, AttachmentTooLarge
from omni.channels.http import client_for, connection_of, download, is_public, own_host, proxy_at, unanswered
from tests.providers.frame import Frame, Provider, Reply

ZEROS = b"\x00" * 3_000_000


class Files(Provider):
    """Files at `/files/<name>`."""

    name = "files"

    def __init__(self):
        super().__init__()
        self.replies, self.asked = {}, []

    def handle(self, request):
        self.asked.append(request.path)
        return self.replies.get(request.path)


@pytest.fixture
def frame():
    with Frame(Files()) as running:
        yield running


@pytest.fixture
def files(frame):
    return frame.providers[0]


@pytest.fixture
def client(frame):
    account = AccountConfig("downloads", "vk", {"api_base": frame.url})
    return client_for(account, connection_of(account, base=""))


def fetch(client, frame, path, *, limit=1000):
    return download(client, f"{frame.url}{path}", limit=limit, allow=own_host(frame.url))


@pytest.mark.parametrize(("packing", "pack"), [("gzip", gzip.compress), ("", bytes)], ids=["packed", "plain"])
def test_a_file_is_unpacked_as_far_as_the_limit(client, frame, files, packing, pack):
    files.replies["/a"] = Reply(body=pack(b"12345" * 100), headers={"Content-Encoding": packing} if packing else {})
    files.replies["/bomb"] = Reply(body=pack(ZEROS), headers={"Content-Encoding": packing} if packing else {})
    assert fetch(client, frame, "/a") == b"12345" * 100
    with pytest.raises(AttachmentTooLarge):
        fetch(client, frame, "/bomb")


FOREIGN = {"br": brotli.compress(ZEROS), "gzip": b"no gzip", "br, gzip": gzip.compress(brotli.compress(ZEROS))}


@pytest.mark.parametrize("packing", FOREIGN)
def test_a_packing_that_nobody_asked_for_is_not_unpacked(client, frame, files, packing):
    files.replies["/a"] = Reply(body=FOREIGN[packing], headers={"Content-Encoding": packing})
    with pytest.raises(httpx.TransportError):
        fetch(client, frame, "/a", limit=10_000_000)


def test_a_name_that_leads_inside_by_the_time_of_the_connection_is_not_called(client, frame, files, monkeypatch):
    """DNS rebinding: the guest's own name server answers with another address the second time."""
    real, answers = socket.getaddrinfo, ["93.184.216.34", "127.0.0.1"]

    def rebinding(host, port, *args, **kwargs):
        return real(answers.pop(0) if host == "rebind.example" else host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    files.replies["/secret"] = Reply(body=b"metadata")
    port = httpx.URL(frame.url).port
    with pytest.raises(AttachmentGone):
        download(client, f"http://rebind.example:{port}/secret", limit=1000, allow=own_host("https://api.vk.com"))
    assert (files.asked, answers) == ([], [])


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[2002:7f00:1::]/", "http://2130706433/", "http://0/",
        "http://169.254.169.254/", "http://224.0.0.1/", "http://100.64.0.1/", "ftp://93.184.216.34/", "http://93.184.216.34@10.0.0.1/",
    ],
)  # fmt: skip
def test_what_is_not_the_internet(address):
    assert not is_public(httpx.URL(address))


@pytest.mark.parametrize("address", ["foo://x", "not an address", "http://", "://", "socks9://h:1"])
def test_a_proxy_that_is_none_is_a_fault_of_the_settings(address):
    account = AccountConfig(f"proxy-{address}", "vk", {"proxy": address})
    with pytest.raises(httpx.UnsupportedProtocol) as fault:
        client_for(account, connection_of(account, base="https://api.vk.com"))
    assert not unanswered(fault.value).unknown


def test_a_proxy_that_is_one():
    assert proxy_at(None) is None
    assert proxy_at("http://user:word@proxy.example:3128").url.host == "proxy.example"
