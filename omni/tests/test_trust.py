"""An authority of an account's own: believed where the account names its file, nowhere else."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from omni.channels.contract import AccountConfig
from omni.channels.http import client_for, connection_of
from tests.providers.certificates import made_for_loopback


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def secure(tmp_path):
    """A server on loopback whose certificate no list has: its address and the authority's file."""
    certificate = made_for_loopback(tmp_path)
    server = HTTPServer(("127.0.0.1", 0), Hello)
    server.socket = certificate.context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}", certificate.ca_file
    server.shutdown()
    server.server_close()
    thread.join(5)


def client_of(name, base, ca_file=""):
    account = AccountConfig(name, "max", {"api_base": base, "ca_file": ca_file})
    return client_for(account, connection_of(account, base=""))


def test_the_named_authority_is_believed_here_only(secure):
    base, ca_file = secure
    assert client_of("trusting", base, ca_file).get("/").status_code == 204
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        client_of("other", base).get("/")


@pytest.mark.parametrize("content", [None, b"no certificates"])
def test_a_file_without_certificates_is_no_address(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(httpx.UnsupportedProtocol):
        client_of(f"broken-{content}", "https://127.0.0.1:1", str(file))
