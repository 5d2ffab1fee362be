"""The desk as a person uses it in a browser."""

import os
import uuid

import pytest
from django.utils import timezone

from omni.models import Session
from omni.services import conversations
from tests import builders as b

# A folder for pictures of what the tests see, for people who want to look.
PICTURES = os.environ.get("PICTURES")
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


def sign_in(page, product, login="ivanova"):
    page.goto(f"{product.url}/sign-in/")
    page.fill("#id_username", login)
    page.fill("#id_password", b.PASSWORD)
    page.click("form:not(.language) button[type=submit]")
    page.wait_for_url(f"{product.url}/desk/**")
    connected(page)


def picture(page, name):
    if PICTURES:
        page.screenshot(path=f"{PICTURES}/{name}.png", full_page=True)


def connected(page):
    """The socket has said hello."""
    page.wait_for_selector("#connection[data-state=on]", state="attached")


def go(page, product, path=""):
    page.goto(f"{product.url}/desk/{path}")
    connected(page)


class World:
    """A believable desk: an operator, a web chat, guests who write."""

    def __init__(self):
        self.operator = b.a_person(groups=[b.a_group()])
        self.chat = b.an_account("webchat")

    def write(self, text="Здравствуйте!", visitor="visitor-1", name="Мария Котова", account=None):
        body = b.webchat_event(visitor, text, client_id=uuid.uuid4(), name=name)
        b.receive(account or self.chat, body, now=timezone.now())
        return Session.objects.filter(messages__text=text).order_by("-pk").first()

    def give(self, **said):
        """A guest's dialogue in the operator's hands."""
        return conversations.take(session_id=self.write(**said).pk, by=self.operator, now=timezone.now())


@pytest.fixture
def world(transactional_db):
    return World()


def texts(page, kind=""):
    """Texts of the feed's entries, in their order on the screen."""
    return page.locator(f"#feed .entry{kind} .bubble > .text").all_inner_texts()


def focus_is_visible(page):
    """The focus is on something, and the something is seen."""
    return page.evaluate(
        "() => { const here = document.activeElement; return here && here !== document.body && here.getClientRects().length > 0; }"
    )
