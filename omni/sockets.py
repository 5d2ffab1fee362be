"""Sockets of guests."""

from typing import Any

sockets: list[Any] = []
