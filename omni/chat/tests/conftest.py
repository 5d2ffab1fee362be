import pytest

from omni.chat.tests import builders as c


@pytest.fixture
def site(db):
    return c.a_site()


@pytest.fixture
def visitor(client, site):
    found = c.Visitor(client)
    assert found.begin().status_code == 200
    return found


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
