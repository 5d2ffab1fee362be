"""TCP ports of this machine."""

import errno
import json
import socket
from pathlib import Path

from core.embedded.errors import StartError

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    try:
        _listen(host, port)
    except OSError:
        return False
    return True


def require_free(port: int, host: str, *, setting: str) -> None:
    """Raises StartError, naming the setting to change, when a server cannot listen on `host:port`."""
    try:
        _listen(host, port)
    except PermissionError:
        raise StartError(f"Port {port} needs root: choose one above 1023 with {setting}=...") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(f"Port {port} is in use: stop what listens there or choose another with {setting}=...") from None
        raise StartError(f"Cannot listen on {host}:{port}: {error.strerror}.") from None


def kept_port(name: str, book: Path) -> int:
    """The port that `name` had at its last start while that is free, else a free one; `book` (a JSON file) remembers it."""
    ports = _read(book)
    port = ports.get(name, 0)
    if not port or not is_free(port):
        port = _listen(LOOPBACK, 0)
        book.write_text(json.dumps(ports | {name: port}))
    return port


def _read(book: Path) -> dict[str, int]:
    try:
        found = json.loads(book.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): port for name, port in found.items() if isinstance(port, int)} if isinstance(found, dict) else {}


def _listen(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1)
        return int(listener.getsockname()[1])
