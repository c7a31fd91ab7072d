"""Promise 7: what people write stays text, on pages and in packets: nothing is fetched, nothing runs, nothing leaks.

Forty payloads stand in the texts of a request, its requester's name among them. The page is drawn and must hold each of
them as text alone; the packet is printed with a listening server and a file as canaries, of which neither must be
touched.
"""

import io
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client
from pypdf import PdfReader
from rest_framework.test import APIClient

from governance.people.models import ApiToken
from reviews.packets import actions as packets
from reviews.packets.printing.pdf import WeasyPrintPrinter
from reviews.packets.queries.packet import packet_page
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import evidence
from tests.factories import requests as walks
from tests.factories import tickets as sites
from tests.factories.people import Cast, make_cast
from tests.integration.conftest import api, checklist, installation, now, policy, signing_key_pem

__all__ = ["api", "checklist", "installation", "now", "policy", "signing_key_pem"]
pytestmark = pytest.mark.django_db

PAYLOADS = (
    '<img src="{url}/img">',
    "<img src=x onerror=fetch('{url}/onerror')>",
    '<script src="{url}/script"></script>',
    "<script>fetch('{url}/inline')</script>",
    '"><script>fetch("{url}/broken-out")</script>',
    "'><svg onload=fetch('{url}/svg-onload')>",
    '<svg><image href="{url}/svg-image"/></svg>',
    '<svg><use href="{url}/svg-use#a"/></svg>',
    '<svg><script href="{url}/svg-script"/></svg>',
    '<iframe src="{url}/iframe"></iframe>',
    '<iframe srcdoc="<img src={url}/srcdoc>"></iframe>',
    '<object data="{url}/object"></object>',
    '<embed src="{url}/embed">',
    '<link rel="stylesheet" href="{url}/link">',
    '<link rel="attachment" href="file://{file}">',
    '<link rel="prefetch" href="{url}/prefetch">',
    '<base href="{url}/">',
    '<meta http-equiv="refresh" content="0;url={url}/refresh">',
    "<style>@import url({url}/import);</style>",
    "<style>@font-face{{font-family:a;src:url({url}/font)}}*{{font-family:a}}</style>",
    '<p style="background:url({url}/background)">x</p>',
    '<p style="list-style-image:url({url}/list)">x</p>',
    '<p style="content:url({url}/content)">x</p>',
    '<video src="{url}/video" poster="{url}/poster" autoplay></video>',
    '<audio src="{url}/audio" autoplay></audio>',
    '<input type="image" src="{url}/input">',
    '<form action="{url}/form"><button>x</button></form>',
    '<a href="javascript:fetch(1)">x</a>',
    '<a ping="{url}/ping" href="/">x</a>',
    '<table background="{url}/table"><tr><td>x</table>',
    '<img srcset="{url}/srcset 1x">',
    '<picture><source srcset="{url}/source"><img></picture>',
    '<img src="file://{file}">',
    '<object data="file://{file}"></object>',
    "<img src=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><image href='{url}/data'/></svg>\">",
    "<math><mtext></table><img src={url}/math></math>",
    '<noscript><p title="</noscript><img src={url}/noscript>">',
    "<!--><img src={url}/comment>-->",
    "{{{{ settings.SECRET_KEY }}}}{{% debug %}}{{% include 'layouts/base.html' %}}",
    "![x]({url}/markdown) [x](javascript:1) {{{{7*7}}}} ${{{{7*7}}}}",
)
SECRET = "canary-of-the-secret-key-0123456789"
FETCHING = {"img", "image", "iframe", "object", "embed", "base", "meta", "style", "video", "audio", "source", "math"}


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """A server that writes down who calls, and a file nobody must read."""
    calls: list[str] = []

    class Listen(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quietly."""

    file = tmp_path / "canary.txt"
    file.write_text("the canary in the file")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Listen)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", file, calls
    server.shutdown()
    server.server_close()


@pytest.fixture
def payloads(canary: tuple[str, Path, list[str]]) -> list[str]:
    url, file, _ = canary
    return [payload.format(url=url, file=file) for payload in PAYLOADS]


@pytest.fixture
def cast(db: None, now: datetime) -> Cast:
    return make_cast(now=now)


@pytest.fixture
def filled(cast: Cast, policy: object, now: datetime, payloads: list[str]) -> ReviewRequest:
    """A request with every payload in its long texts, and some in each short one."""
    User.objects.filter(pk=cast.author.pk).update(first_name=payloads[0][:150], last_name=payloads[4][:150])
    everything = "\n".join(payloads)
    request = walks.make_submitted(by=cast.author, now=now, title=payloads[1], purpose=payloads[32][:200])
    evidence.answer_item(request=request, item_id="cheaper-alternatives", text=everything, by=cast.author, now=now)
    return request


def page_of(client: Client, path: str) -> Elements:
    response = client.get(path)
    assert response.status_code == 200
    read = Elements()
    read.feed(response.content.decode())
    return read


def enter(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


TABS = ("evidence", "costs", "policy", "checklist", "history")


def test_pages_hold_what_was_written_as_text_alone(
    filled: ReviewRequest, cast: Cast, payloads: list[str], canary: tuple[str, Path, list[str]]
) -> None:
    url, _, calls = canary
    tabs = [f"/requests/{filled.ref}/", *(f"/requests/{filled.ref}/{tab}/" for tab in TABS)]
    shown = "".join("".join(page_of(enter(cast.reviewer_one), tab).text.split()) for tab in tabs)
    assert [payload for payload in payloads if "".join(payload.split()) not in shown] == []
    for path in (*tabs, "/requests/", "/"):
        page = page_of(enter(cast.reviewer_one), path)
        assert [tag for tag, _ in page.found if tag in FETCHING - {"meta"}] == []
        assert [attrs for tag, attrs in page.found if tag == "meta" and "http-equiv" in attrs] == []
        strange = [attrs for _, attrs in page.found for value in attrs.values() if value and value.startswith(url)]
        assert strange == []
        assert not [
            name for _, attrs in page.found for name in attrs if name.startswith("on") or name in {"style", "ping"}
        ]
    assert calls == []


def test_the_packet_fetches_nothing_and_holds_no_file(
    filled: ReviewRequest, cast: Cast, canary: tuple[str, Path, list[str]], now: datetime
) -> None:
    packet = packets.freeze(request=filled, by=cast.author, now=now)
    page = packet_page(packet)
    printed = WeasyPrintPrinter().print(
        render_to_string("reviews/packets/review.html", page.context), assets=page.assets
    )
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(printed)).pages)
    assert filled.ref in text
    assert "the canary in the file" not in text
    assert b"the canary in the file" not in printed
    assert canary[2] == []


def test_secrets_stand_on_no_page_and_in_no_answer(
    filled: ReviewRequest, cast: Cast, monkeypatch: pytest.MonkeyPatch, api: Callable[[User | None], APIClient]
) -> None:
    monkeypatch.setattr(settings, "SECRET_KEY", SECRET)
    sites.make_site(now=cast.author.date_joined, name="Another", token=SECRET, webhook=SECRET)
    program, people_ = api(cast.admin), enter(cast.admin)
    digests = list(ApiToken.objects.values_list("digest", flat=True))
    paths = (
        "/",
        f"/requests/{filled.ref}/",
        "/requests/none/",
        "/integrations/",
        "/integrations/ticket-sites/",
        "/settings/tickets/",
        "/audit/",
        "/audit.csv",
        "/rulebook/",
    )
    answers = [people_.get(path) for path in paths]
    answers += [
        program.get(f"/api/v1/{path}") for path in ("reviews/", f"reviews/{filled.ref}/", "audit/", "x/", "schema/")
    ]
    said = "".join(answer.content.decode() + str(answer.headers) for answer in answers)
    assert SECRET not in said
    assert digests
    assert [digest for digest in digests if digest in said] == []
    assert "PRIVATE KEY" not in said


def test_there_are_forty_payloads() -> None:
    assert len(set(PAYLOADS)) == 40
