"""From where an account's events may come."""

import pytest

from omni.channels.registry import ADAPTERS
from omni.channels.sources import allows, unreadable

OK = ["217.20.145.192/28", "217.20.151.160/28"]


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ([], "8.8.8.8", True),
        (None, "8.8.8.8", True),
        (OK, "217.20.145.193", True),
        (OK, "::ffff:217.20.151.161", True),
        (OK, "217.20.145.208", False),
        (OK, "", False),
        (OK, "unix:", False),
        (["185.45.152.42"], "185.45.152.42", True),
        (["2001:db8::/32"], "2001:db8::1", True),
        (["2001:db8::/32"], "8.8.8.8", False),
        (["nonsense"], "8.8.8.8", False),
        ([" 8.8.8.8/24 "], "8.8.8.9", True),
    ],
)
def test_networks(networks, address, allowed):
    assert allows(networks, address) is allowed


def test_what_is_no_network_is_named():
    assert unreadable([*OK, "nonsense", "1.2.3.4/33"]) == ["nonsense", "1.2.3.4/33"]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda one: one.kind)
def test_every_kind_that_is_delivered_to_can_be_closed_to_others(adapter):
    form = adapter.form
    assert ("allowed_from" in [one.path for one in form.all_settings]) is form.has_webhook
    assert unreadable(form.known_from) == []
