"""Sockets of guests."""

from typing import Any

from django.urls import path

from omni.chat.consumers import VisitorConsumer

sockets: list[Any] = [path("chat/socket/", VisitorConsumer.as_asgi())]
