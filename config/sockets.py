"""Addresses of sockets."""

from omni.sockets import sockets as guest_sockets
from workstation.sockets import sockets as staff_sockets

sockets = [*guest_sockets, *staff_sockets]
