"""Files are stored whole or not at all, and fetched by one process at a time."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils import timezone

from omni.channels.webchat.adapter import WebChatAdapter
from omni.models import Attachment, Message
from omni.services import files
from omni.states import FileState
from tests import builders as b

pytestmark = pytest.mark.django_db
DATA = b"%PDF-1.7\n" + bytes(range(256)) * 1000


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def row(now):
    b.receive(b.an_account("webchat"), b.webchat_event(), now=now)
    return Attachment.objects.create(message=Message.objects.get(), kind="document", ref=files.put(DATA), next_at=now)


class Killed(BaseException):
    """The process ends here."""


def test_a_process_killed_while_writing_leaves_nothing_under_the_digest(monkeypatch):
    written = FileSystemStorage._save

    def killed_halfway(storage, name, content):
        place = written(storage, name, content)
        target = Path(storage.path(place))
        target.write_bytes(target.read_bytes()[: len(DATA) // 2])
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(FileSystemStorage, "_save", killed_halfway)
        files.put(DATA)
    digest = hashlib.sha256(DATA).hexdigest()
    assert not default_storage.exists(f"files/{digest[:2]}/{digest}")
    with default_storage.open(files.put(DATA)) as kept:
        assert kept.read() == DATA


def test_a_half_file_from_before_is_made_whole():
    path = files.put(DATA)
    Path(default_storage.path(path)).write_bytes(DATA[:100])
    assert files.put(DATA) == path
    assert Path(default_storage.path(path)).read_bytes() == DATA


def test_the_same_bytes_are_stored_once(media):
    files.put(DATA)
    files.put(DATA)
    assert len([found for found in media.rglob("*") if found.is_file()]) == 1


def test_a_file_is_fetched_by_one_process_at_a_time(row, now, monkeypatch):
    fetched = []
    real = WebChatAdapter.fetch

    def meanwhile(adapter, *arguments, **named):
        fetched.append(1)
        files.fetch(row.pk, now=now)  # another process, at the same moment
        return real(adapter, *arguments, **named)

    monkeypatch.setattr(WebChatAdapter, "fetch", meanwhile)
    files.fetch(row.pk, now=now)
    assert len(fetched) == 1
    row.refresh_from_db()
    assert (row.state, row.size, row.next_at) == (FileState.STORED, len(DATA), None)


def test_what_another_process_has_brought_stays(row, now, monkeypatch):
    """Its claim has run out, and then it fails: the file that is there is not taken back."""

    def too_late(*_arguments, **_named):
        Attachment.objects.filter(pk=row.pk).update(state=FileState.STORED, next_at=None, name="чек.pdf")
        raise OSError("the provider is away")

    monkeypatch.setattr(WebChatAdapter, "fetch", too_late)
    files.fetch(row.pk, now=now)
    row.refresh_from_db()
    assert (row.state, row.tries, row.name) == (FileState.STORED, 0, "чек.pdf")


def test_a_fault_is_tried_again_when_it_is_due(row, now):
    Path(default_storage.path(row.ref)).unlink()
    Attachment.objects.update(ref="files/aa/" + "0" * 64)
    later = now + timedelta(seconds=60)
    Attachment.objects.update(next_at=later)
    files.fetch(row.pk, now=now)
    row.refresh_from_db()
    assert row.state == FileState.PENDING, "not before its time"
    files.fetch(row.pk, now=later)
    row.refresh_from_db()
    assert row.state == FileState.GONE
