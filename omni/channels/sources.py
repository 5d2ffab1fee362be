"""From where an account's events may come: pure. What a provider signs needs no list; some sign nothing."""

import ipaddress
from collections.abc import Sequence


def unreadable(networks: Sequence[str]) -> Sequence[str]:
    """Those that are no network."""
    return [one for one in networks if _network(one) is None]


def allows(networks: object, address: str) -> bool:
    """Whether events may come from the address. An empty list, or none, allows all; what is no network in it allows nobody."""
    wanted = [str(one) for one in networks] if isinstance(networks, list | tuple) else []
    if not wanted:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    # A socket that listens on IPv6 tells callers of IPv4 so.
    caller = getattr(caller, "ipv4_mapped", None) or caller
    return any(network is not None and caller in network for network in map(_network, wanted))


def _network(written: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(written.strip(), strict=False)
    except ValueError:
        return None
