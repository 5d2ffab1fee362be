"""The desk as a person uses it in a browser."""

import json

from tests import builders as b


def sign_in(page, product, login="ivanova"):
    page.goto(f"{product.url}/sign-in/")
    page.fill("#id_username", login)
    page.fill("#id_password", b.PASSWORD)
    page.click("form:not(.language) button[type=submit]")
    page.wait_for_url(f"{product.url}/desk/**")


def connected(page):
    """The socket has said hello."""
    page.wait_for_selector("#connection[data-state=on]", state="attached")


def open_desk(page, product, path=""):
    page.goto(f"{product.url}/desk/{path}")
    connected(page)


def pretty(found):
    return json.dumps(found, ensure_ascii=False, indent=1)
