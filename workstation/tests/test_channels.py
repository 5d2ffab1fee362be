"""Each channel has a name and a picture on the desk."""

import re
from pathlib import Path

from omni.channels.registry import kinds
from workstation.wording import channel_names

SPRITE = Path(__file__).resolve().parents[2] / "static" / "icons" / "sprite.svg"


def test_every_channel_has_a_picture():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', SPRITE.read_text("utf-8")))
    assert set(kinds()) <= drawn


def test_every_channel_has_a_name():
    assert set(channel_names()) == set(kinds())
    assert channel_names()["email"] != "email"
