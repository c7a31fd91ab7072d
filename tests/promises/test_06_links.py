"""Promise 6: no page offers a link that its reader cannot open, whatever their role, and no page is heavy.

Everybody follows the links from their inbox. An address whose pattern was opened often enough is not opened again.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve

from tests.factories.people import Cast
from tests.integration.conftest import checklist, installation, now, policy, signing_key_pem
from tests.promises.test_06_strangers import cast, things

__all__ = ["cast", "checklist", "installation", "now", "policy", "signing_key_pem", "things"]
pytestmark = pytest.mark.django_db

OF_ONE_PATTERN = 4
LINK = re.compile(r'<(?:a|form)\b[^>]*?\bhref="([^"#]+)')
PAGES_OF_ANYBODY = 30
BYTES_MAX = 150_000


def reached(user: User) -> Iterator[tuple[str, str, int, int]]:
    """Follow the links of this person: the page with the link, the address, the status and the bytes of a page."""
    client = Client()
    client.force_login(user)
    opened: Counter[tuple[str, bool]] = Counter()
    seen, waiting = {"/"}, deque([("", "/")])
    while waiting:
        source, path = waiting.popleft()
        answer = client.get(path)
        body = answer.getvalue()
        is_page = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
        yield source, path, answer.status_code, len(body) * is_page
        if not is_page:
            continue
        for address in links_of(body.decode(), page=path):
            kind = (resolve(urlsplit(address).path).view_name, "?" in address)
            if address not in seen and opened[kind] < OF_ONE_PATTERN:
                seen.add(address)
                opened[kind] += 1
                waiting.append((path, address))


def links_of(html: str, *, page: str) -> list[str]:
    """Addresses of this site that a page links to, except files and what ends the session."""
    found = (urljoin(page, unescape(link)) for link in LINK.findall(html))
    return [path for path in found if path.startswith("/") and not path.startswith(("/static/", "/accounts/logout/"))]


@pytest.mark.parametrize("name", list(Cast.__dataclass_fields__))
def test_every_link_opens(things: Mapping[str, Any], cast: Cast, name: str) -> None:
    pages = list(reached(getattr(cast, name)))
    assert [page for page in pages if page[2] >= 400] == []
    assert [page for page in pages if page[3] > BYTES_MAX] == []
    assert len(pages) > PAGES_OF_ANYBODY
