"""Sites and visitors to test with."""

import time
import uuid

import jwt

from omni.chat.identity import hash_of
from tests import builders as b

ORIGIN = "https://shop.example"
KEY = "demo-widget-secret"
DEVICE = "device-secret-0123456789abcdef"


def a_site(site_key="shop", origins=(ORIGIN,), identity_key=KEY, **settings):
    shown = {"site_key": site_key, "origins": list(origins), "greeting": {"ru": "Здравствуйте!", "en": "Hello!"}, **settings}
    return b.an_account("webchat", settings=shown, identity_key=identity_key)


def a_device():
    return uuid.uuid4().hex


def a_hash(external_id="card:7700001", key=KEY):
    return {"external_id": external_id, "hash": hash_of(key, external_id)}


def a_token(external_id="card:7700001", key=KEY, site="shop", **claims):
    now = int(time.time())
    given = {"sub": external_id, "aud": site, "iat": now, "exp": now + 300, "jti": uuid.uuid4().hex, **claims}
    return {"token": jwt.encode({name: value for name, value in given.items() if value is not None}, key, algorithm="HS256")}


class Visitor:
    """A browser or app that talks to the API through Django's test client."""

    def __init__(self, client, device=None, language="en", origin=None):
        self.client, self.device, self.language, self.origin = client, device or a_device(), language, origin
        self.token = ""

    def headers(self, **more):
        given = {"Authorization": f"Bearer {self.token}" if self.token else None, "Origin": self.origin}
        return {"Accept-Language": self.language, **{name: value for name, value in {**given, **more}.items() if value}}

    def begin(self, identity=None, site_key="shop", **body):
        asked = {"site_key": site_key, "device_id": self.device, "page_url": "https://shop.example/cart", **body}
        asked |= {"identity": identity} if identity is not None else {}
        answer = self.post("sessions", asked)
        if answer.status_code == 200:
            self.token = answer.json()["session_token"]
        return answer

    def post(self, path, body, **headers):
        return self.client.post(f"/chat/{path}", body, content_type="application/json", headers=self.headers(**headers))

    def write(self, text, client_id=None, **body):
        return self.post("messages", {"client_msg_id": str(client_id or uuid.uuid4()), "text": text, **body})

    def read(self, after=0):
        return self.client.get(f"/chat/messages?after={after}", headers=self.headers())

    def upload(self, name, data):
        from django.core.files.uploadedfile import SimpleUploadedFile

        return self.client.post("/chat/uploads", {"file": SimpleUploadedFile(name, data)}, headers=self.headers())
