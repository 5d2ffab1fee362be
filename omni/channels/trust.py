"""Whose certificates we believe. Reading them takes longer than most calls, so a process reads them once."""

import ssl
from functools import cache

import httpx


@cache
def web_authorities() -> ssl.SSLContext:
    """Those that the HTTP client believes."""
    return httpx.create_ssl_context()


@cache
def system_authorities() -> ssl.SSLContext:
    """Those of the machine."""
    return ssl.create_default_context()
