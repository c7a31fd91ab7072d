"""No page names a metric, a rule or a place of a document by its name in the code, except where people type it."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import resolve

from governance.rulebook.queries.rulebook import policy_from
from reviews.requests.models import ReviewRequest
from tests.factories.people import Cast
from tests.promises.test_06_links import links_of
from weighbridge.core.metrics.standard import STANDARD

pytestmark = pytest.mark.django_db

OF_ONE_VIEW, VIEWS_OF_ANYBODY = 2, 30
# What nobody reads as a sentence: a document in YAML or JSON, with the names of its fields, is in `pre` or `textarea`.
SILENT = {"script", "style", "template", "textarea", "title", "pre"}
PATH = re.compile(r"\b[a-z_]+\[\d+\](?:\.\w+)*|\b[a-z]+(?:\.[a-z]+)*\.[a-z]+_[a-z_]+\b|\b[a-z]+_[a-z_]+\.[a-z_.]+\b")
# Where a person types a name, or compares documents in which the names stand.
TYPED = {
    "benchmarking:cost_spec": "says how error messages name the fields of the spec that is written there",
    "governance:policy_draft": "says how error messages name the places of the YAML that is written there",
    "governance:policy_form": "the ID of a rule is a field of the form",
    "governance:styleguide": "specimens for those who write pages",
    "reviews:backtest": "compares two policies by the IDs that their rules have in the YAML",
}
OF_OTHERS = {"zz_generated.pricing_aws.go": "a file of a vendor, as the source of a price"}


class Visible(HTMLParser):
    """The texts that a reader sees; an option of a list and the value of a field are no text of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.silent, self.texts = 0, list[str]()

    def handle_starttag(self, tag: str, _: object) -> None:
        self.silent += tag in SILENT

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.texts.append(" ".join(data.split()))


def texts_of(html: str) -> list[str]:
    parser = Visible()
    parser.feed(html)
    return parser.texts


def names_of_code(text: str, rules: frozenset[str]) -> list[str]:
    """The names of metrics with an underscore, of rules, and the paths of documents in a text."""
    words = re.findall(r"[\w@.-]*\w", text)
    named = [word for word in words if word in rules or ("_" in word and word in STANDARD)]
    return [word for word in (*named, *PATH.findall(text)) if word not in OF_OTHERS]


def pages_of(user: User) -> Iterator[tuple[str, str, str]]:
    """View, address and HTML of the pages that a person reaches by links, a few of each view."""
    client = Client()
    client.force_login(user)
    opened: Counter[str] = Counter()
    seen, waiting = {"/"}, deque(["/"])
    while waiting:
        path = waiting.popleft()
        answer = client.get(path)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            continue
        html = answer.content.decode()
        yield resolve(path.partition("?")[0]).view_name, path, html
        for address in links_of(html, page=path):
            view = resolve(address.partition("?")[0]).view_name
            if address not in seen and opened[view] < OF_ONE_VIEW:
                seen.add(address)
                opened[view] += 1
                waiting.append(address)


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>latency_p95_ms is 12</p>", ["latency_p95_ms"]),
        ("<th><code>options[0].serving.usd_per_replica_h</code></th>", ["options[0].serving.usd_per_replica_h"]),
        ("<p>The rule training-cost holds.</p>", ["training-cost"]),
        ("<li>serving.input_tokens</li>", ["serving.input_tokens"]),
        ("<pre>latency_p95_ms: 12</pre><p title='gpu_h'>Latency p95 of visual-search at weighbridge.test.</p>", []),
    ],
)
def test_names_of_the_code_are_seen(html: str, found: list[str]) -> None:
    assert [word for text in texts_of(html) for word in names_of_code(text, frozenset({"training-cost"}))] == found


@pytest.mark.parametrize("name", ["author", "approver"])
def test_pages_speak_in_words(rich: ReviewRequest, cast: Cast, name: str) -> None:
    rules = frozenset(rule.id for rule in policy_from(rich.policy.source).rules if "-" in rule.id)
    pages = list(pages_of(getattr(cast, name)))
    found = {
        (view, word, text[:90])
        for view, _, html in pages
        for text in texts_of(html)
        for word in names_of_code(text, rules)
        if view not in TYPED
    }
    for each in sorted(found):
        print(each)
    assert found == set()
    assert len({view for view, *_ in pages}) > VIEWS_OF_ANYBODY
