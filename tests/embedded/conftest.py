"""Homes for servers of one's own."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from core.embedded.account import refuge
from core.embedded.postgres import Postgres


@pytest.fixture
def home():
    """An empty folder that the servers' user can reach, unlike pytest's own (0700)."""
    folder = Path(tempfile.mkdtemp(prefix="otklik-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    if os.geteuid() == 0:
        shutil.rmtree(refuge(folder), ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture
def postgres(home):
    """A server that is not yet started; what the test leaves running is stopped."""
    server = Postgres(home, throwaway=True)
    yield server
    server.stop()
