"""Sockets of guests."""

from typing import Any

from django.urls import path

from omni.chat.consumers import VisitorConsumer

# Channels routes ASGI applications by Django's `path`, whose types know views only.
visitors: Any = VisitorConsumer.as_asgi()
sockets = [path("chat/socket/", visitors)]
