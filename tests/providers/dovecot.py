"""A real IMAP server for tests: Dovecot as an ordinary process with its own folder and port. Fixture `dovecot`.

Debian's package is dovecot-imapd. Runs as root and as an ordinary user; tests that need it skip without it.
"""

import contextlib
import getpass
import grp
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from tests.providers.certificates import made_for_loopback
from tests.providers.frame import Frame
from tests.providers.oauth import OauthServer

PROGRAM = "dovecot"
_FOUND = shutil.which(PROGRAM, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
_DEADLINE = 15.0

_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
default_internal_user = {account}
default_internal_group = {group}
default_login_user = {account}
first_valid_uid = 0
first_valid_gid = 0
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{certificate}
ssl_min_protocol = TLSv1.2
disable_plaintext_auth = no
auth_mechanisms = plain login{mechanisms}
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
{limits}
mailbox_list_index = no
{oauth}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


_OAUTH = """\
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
"""
_INTROSPECTION = """\
introspection_mode = post
introspection_url = {url}
force_introspection = yes
username_attribute = username
active_attribute = active
active_value = true
"""


class Dovecot:
    """The server: `host`, `port`, `user`, `password` of an empty mailbox; `start()` and `stop()` may be called again and again.

    At `port` it speaks plainly and knows STARTTLS, at `tls_port` TLS from the first byte; clients that trust `ca_file` trust it.
    With `introspection_url` it takes keys by XOAUTH2 too, and asks there about each (RFC 7662).
    """

    host = "127.0.0.1"
    password = "mailbox-2026"

    def __init__(self, folder: Path, user: str = "help@shop.example", introspection_url: str = "") -> None:
        self.folder, self.user, self.introspection_url = folder, user, introspection_url
        self.port, self.tls_port = _free_port(), _free_port()
        self._certificate = made_for_loopback(folder)
        self.ca_file = self._certificate.ca_file
        self._process: subprocess.Popen[bytes] | None = None
        self._write_configuration()

    def start(self) -> None:
        assert _FOUND
        with open(self.folder / "out", "ab") as output:
            self._process = subprocess.Popen(
                [_FOUND, "-F", "-c", str(self.folder / "dovecot.conf")], stdout=output, stderr=output, start_new_session=True
            )
        self._wait_until_it_answers()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        # The session is its own, so this reaches Dovecot's children and nobody else: open connections end too.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)

    def append(self, raw: bytes, folder: str = "INBOX", flags: str = "", user: str = "") -> None:
        """Put a mail into a folder, as a delivery would."""
        with self.client(user) as client:
            status, answer = client.append(folder, flags, "", raw)
            assert status == "OK", answer

    @contextlib.contextmanager
    def client(self, user: str = ""):
        """A plain IMAP client, signed in."""
        client = imaplib.IMAP4(self.host, self.port, timeout=10)
        client.login(user or self.user, self.password)
        try:
            yield client
        finally:
            client.logout()

    def renumber(self, user: str = "") -> None:
        """Lose the folder's numbering, as a restored server does: UIDVALIDITY changes, mails get new UIDs."""
        self.stop()
        mailbox = self.folder / "mail" / (user or self.user)
        for name in ("dovecot-uidlist", "dovecot.index", "dovecot.index.log", "dovecot.index.cache", "dovecot-uidvalidity"):
            (mailbox / name).unlink(missing_ok=True)
        (mailbox / "dovecot-uidlist").write_text(f"3 V{int(time.time()) + 1000} N1 G0123456789abcdef0123456789abcdef\n")
        os.chown(mailbox / "dovecot-uidlist", *_owner()[:2])
        self.start()

    def log(self) -> str:
        path = self.folder / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _write_configuration(self) -> None:
        uid, gid, account, group = _owner()
        for name in ("run", "mail"):
            (self.folder / name).mkdir(exist_ok=True)
            os.chown(self.folder / name, uid, gid)
        # An ordinary user may neither chroot nor raise limits of processes.
        if self.introspection_url:
            (self.folder / "oauth2.conf").write_text(_INTROSPECTION.format(url=self.introspection_url))
        limits = "" if os.getuid() == 0 else "default_vsz_limit = 0"
        text = _CONFIGURATION.format(
            folder=self.folder,
            account=account,
            group=group,
            uid=uid,
            gid=gid,
            port=self.port,
            tls_port=self.tls_port,
            certificate=self._certificate.server_file,
            password=self.password,
            limits=limits,
            mechanisms=" xoauth2" if self.introspection_url else "",
            oauth=_OAUTH.format(folder=self.folder) if self.introspection_url else "",
        )
        (self.folder / "dovecot.conf").write_text(text)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _DEADLINE
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError, imaplib.IMAP4.error), self.client():
                return
            time.sleep(0.05)
        output = (self.folder / "out").read_text(errors="replace")
        self.stop()
        raise AssertionError(f"{PROGRAM} does not answer: {output}{self.log()}")


def _owner() -> tuple[int, int, str, str]:
    """uid, gid and names of who owns the mails: an ordinary account also when the tests run as root."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid(), getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    account = pwd.getpwnam("nobody")
    return account.pw_uid, account.pw_gid, account.pw_name, grp.getgrgid(account.pw_gid).gr_name


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def dovecot_server():
    """One server for the whole run: starting takes longer than a test."""
    if _FOUND is None:
        pytest.skip(f"{PROGRAM} is not installed (Debian: dovecot-imapd)")
    # A short path outside pytest's own: sockets in it must stay under 108 characters, and the folder be passable for its owner.
    with _running() as server:
        yield server


@contextlib.contextmanager
def _running(introspection_url: str = ""):
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    folder.chmod(0o755)
    server = Dovecot(folder, introspection_url=introspection_url)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def oauth_servers():
    """A mail provider that takes keys: its address for keys and a Dovecot that asks it about them."""
    if _FOUND is None:
        pytest.skip(f"{PROGRAM} is not installed (Debian: dovecot-imapd)")
    provider = OauthServer()
    with Frame(provider) as frame, _running(f"{frame.url}/oauth/introspect") as server:
        yield provider, server


@pytest.fixture
def oauth(oauth_servers, request):
    """The address for keys, one of whose users is the test's own."""
    provider, server = oauth_servers
    provider.reset()
    provider.user = server.user = f"box-{abs(hash(request.node.nodeid)) % 10**9}-{time.monotonic_ns()}@shop.example"
    return provider


@pytest.fixture
def oauth_dovecot(oauth, oauth_servers):
    return oauth_servers[1]


@pytest.fixture
def dovecot(dovecot_server, request):
    """The server with an empty mailbox of the test's own, running whatever the test before did to it."""
    server = dovecot_server
    server.user = f"box-{abs(hash(request.node.nodeid)) % 10**9}-{time.monotonic_ns()}@shop.example"
    if server._process is None or server._process.poll() is not None:
        server.start()
    return server
