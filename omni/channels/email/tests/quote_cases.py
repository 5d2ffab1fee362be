"""Reads the tables of hard mails in samples/: a mail a section, what the guest wrote in it, or that all of it must stay visible."""

import re
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "samples"
_SECTION = re.compile(r"^=== (?P<name>.+)\n(?P<text>(?:.*\n)*?)--- (?P<what>all|visible)\n(?P<visible>(?:(?!=== ).*\n?)*)", re.MULTILINE)


def cases(file):
    """(text, expected visible text) of every section, named."""
    found = list(_SECTION.finditer((SAMPLES / file).read_text()))
    assert len(found) == (SAMPLES / file).read_text().count("=== ")
    return [pytest.param(one["text"].rstrip("\n"), _expected(one), id=one["name"]) for one in found]


def _expected(section):
    return section["text"].strip() if section["what"] == "all" else section["visible"].strip("\n")
