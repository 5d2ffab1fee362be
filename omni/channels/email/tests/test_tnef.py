"""winmail.dat: files and body; the same streams as another reader understands them; forged counts end at once."""

import struct
import time

import pytest
import tnefparse
from hypothesis import given
from hypothesis import strategies as st

from omni.channels.email.parsing import parse_mail
from omni.channels.email.tests.builders import file_part, multipart, part
from omni.channels.email.tnef import NotTnef, read_tnef

HEAD = struct.pack("<IH", 0x223E9F78, 1)
CODEPAGE = struct.pack("<I", 1251)


def block(level, name, kind, data):
    return struct.pack("<BHHI", level, name, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def text_property(number, value):
    data = value.encode("utf-16-le") + b"\x00\x00"
    return struct.pack("<HHII", 0x1F, number, 1, len(data)) + data + b"\x00" * (-len(data) % 4)


def properties(*items):
    return struct.pack("<I", len(items)) + b"".join(items)


def stream(*files, body="", extra=b""):
    """A TNEF stream with files (short name, long name or "", bytes) and a body in windows-1251."""
    data = HEAD + block(1, 0x9007, 6, CODEPAGE)
    if body:
        data += block(1, 0x800C, 2, body.encode("cp1251") + b"\x00")
    for short, long, content in files:
        data += block(2, 0x9002, 6, b"\x00" * 14)
        data += block(2, 0x8010, 1, short.encode("cp1251") + b"\x00")
        data += block(2, 0x800F, 6, content)
        if long:
            data += block(2, 0x9005, 6, properties(text_property(0x3707, long)))
    return data + extra


FILES = stream(("CHEK~1.PDF", "Чек за март.pdf", b"%PDF-1"), ("фото.jpg", "", b"\xff\xd8" * 50), body="Здравствуйте!")


def test_files_and_body():
    tnef = read_tnef(FILES)
    assert [(file.name, file.data) for file in tnef.files] == [("Чек за март.pdf", b"%PDF-1"), ("фото.jpg", b"\xff\xd8" * 50)]
    assert tnef.text == "Здравствуйте!"


def test_another_reader_agrees():
    other = tnefparse.TNEF(FILES)
    assert [file.data for file in other.attachments] == [file.data for file in read_tnef(FILES).files]
    assert other.attachments[0].long_filename().strip("\x00") == read_tnef(FILES).files[0].name


@pytest.mark.parametrize("content_type", ["application/ms-tnef", 'application/octet-stream; name="winmail.dat"'])
def test_winmail_in_a_mail(content_type):
    mail = parse_mail(multipart("mixed", part("text/plain; charset=utf-8", "Смотрите"), file_part(content_type, FILES)))
    assert (mail.text, [file.name for file in mail.attachments]) == ("Смотрите", ["Чек за март.pdf", "фото.jpg"])


def test_body_only_inside():
    assert parse_mail(multipart("mixed", file_part("application/ms-tnef", FILES))).text == "Здравствуйте!"


def test_a_broken_one_is_kept_as_it_is():
    mail = parse_mail(multipart("mixed", part("text/plain", "x"), file_part('application/ms-tnef; name="winmail.dat"', b"junk")))
    assert [(file.name, file.data) for file in mail.attachments] == [("winmail.dat", b"junk")]
    assert "winmail.dat has no TNEF signature" in mail.defects


@pytest.mark.parametrize(
    "forged",
    [
        struct.pack("<I", 0xFFFFFFFF),
        struct.pack("<IHHI", 1, 0x1002, 0x3707, 0xFFFFFFFF),
        struct.pack("<IHHI", 1, 0x101F, 0x3707, 0xFFFFFFFF),
        struct.pack("<IHHI", 1, 0x1001, 0x3707, 0xFFFFFFFF),
    ],
)
def test_forged_counts_end_at_once(forged):
    began = time.process_time()
    read_tnef(stream(("a.txt", "", b"x"), extra=block(2, 0x9005, 6, forged)))
    assert time.process_time() - began < 1


@given(st.binary(max_size=200))
def test_any_bytes_behind_the_signature(data):
    read_tnef(HEAD + data)


@given(st.binary(max_size=20))
def test_other_bytes_are_refused(data):
    if not data.startswith(HEAD[:4]):
        with pytest.raises(NotTnef):
            read_tnef(data)
