"""Sockets of staff."""

from typing import Any

from django.urls import path

from workstation.consumers import Desk

# Channels routes ASGI applications by Django's `path`, whose types know views only.
application: Any = Desk.as_asgi()
sockets = [path("desk/socket/", application)]
