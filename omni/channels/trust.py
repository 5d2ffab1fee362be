"""Whose certificates we believe. Reading them takes longer than most calls, so a process reads them once."""

import ssl
from functools import cache

import httpx


@cache
def web_authorities() -> ssl.SSLContext:
    """Those that the HTTP client believes."""
    return httpx.create_ssl_context()


@cache
def web_authorities_and(ca_file: str) -> ssl.SSLContext:
    """Those of `web_authorities` and those of a PEM file: believed where an account names the file, nowhere else.

    Raises OSError, ssl.SSLError for a file without certificates.
    """
    context = httpx.create_ssl_context()
    context.load_verify_locations(cafile=ca_file)
    return context


@cache
def system_authorities() -> ssl.SSLContext:
    """Those of the machine."""
    return ssl.create_default_context()
