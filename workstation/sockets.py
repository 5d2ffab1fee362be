"""Sockets of staff."""

from typing import Any

sockets: list[Any] = []
