"""`manage.py explain_event`, with a database and Redis that are not there."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from omni.channels.registry import adapter_for, kinds

SAMPLES = Path(__file__).parent / "samples"
ROOT = Path(__file__).parents[4]


def test_the_registry_names_what_there_is():
    assert {"email", "telegram", "webchat"} <= set(kinds())
    assert [adapter_for(kind).kind for kind in kinds()] == kinds()
    with pytest.raises(LookupError, match="telegram"):
        adapter_for("pigeon")


def test_items_of_all_files_in_order():
    out = StringIO()
    call_command("explain_event", "telegram", str(SAMPLES / "photo.json"), str(SAMPLES / "text.json"), stdout=out)
    photo, text = [json.loads(line) for line in out.getvalue().splitlines()]
    assert list(photo)[:7] == ["external_id", "guest_external_id", "guest_name", "text", "attachments", "sent_at", "kind"]
    assert photo["attachments"] == [{"kind": "image", "url_or_id": "large", "name": "photo.jpg"}]
    assert (photo["sent_at"], photo["kind"]) == ("2026-03-03T08:00:05+00:00", "message")
    assert text["text"] == "Здравствуйте! В магазине нет хлеба."


def test_every_sample_is_a_line():
    out = StringIO()
    files = sorted(map(str, SAMPLES.glob("*.json")))
    call_command("explain_event", "telegram", *files, stdout=out)
    assert len(out.getvalue().splitlines()) == len(files)


def test_a_file_that_is_not_understood_stands_in_its_place(tmp_path):
    (tmp_path / "bad.json").write_bytes(b"[1]")
    (tmp_path / "cut.json").write_bytes(b"{")
    files = [str(tmp_path / "bad.json"), str(SAMPLES / "text.json"), str(tmp_path / "missing.json"), str(tmp_path / "cut.json")]
    out = StringIO()
    with pytest.raises(CommandError, match="3 of 4 files"):
        call_command("explain_event", "telegram", *files, stdout=out)
    bad, text, missing, cut = [json.loads(line) for line in out.getvalue().splitlines()]
    assert next(iter(cut)) == "file"
    assert bad == {"file": files[0], "error": "a JSON object was expected, not list"}
    assert text["kind"] == "message"
    assert missing == {"file": files[2], "error": "No such file or directory"}


def explain(*arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    command = [sys.executable, "manage.py", "explain_event", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_from_the_command_line_without_servers():
    result = explain("telegram", str(SAMPLES / "text.json"))
    assert (result.returncode, next(iter(json.loads(result.stdout)))) == (0, "external_id")


def test_from_the_command_line_an_unknown_channel_is_one_sentence():
    result = explain("pigeon", "any")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "There is no channel 'pigeon'; known are " in result.stderr
    assert "telegram" in result.stderr
