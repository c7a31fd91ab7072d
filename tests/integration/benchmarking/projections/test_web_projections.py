"""The calculator's pages: the address holds what was asked, faults stand beside their fields, what is kept
has a link.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from benchmarking.projections import actions as writes
from benchmarking.projections import queries as projections
from benchmarking.projections.models import CostProjection
from benchmarking.projections.web import costs
from benchmarking.projections.web.forms import EXAMPLE, EXAMPLE_OPTIONS, RangeField
from tests.factories.costs import cost_spec
from tests.pages import html_of

URL = "/costs/"


@pytest.fixture
def client(as_, author):
    return as_(author)


def asked(**changes):
    options = {f"{name}-{key}": value for name, given in EXAMPLE_OPTIONS.items() for key, value in given.items()}
    return {key.replace("__", "-"): value for key, value in {**EXAMPLE, **options, **changes}.items()}


def test_an_empty_calculator_shows_its_example_and_says_so(client):
    page = html_of(client.get(URL))
    assert "This is an example" in page
    assert "Managed API" in page
    assert "cheapest in" in page


def test_an_example_whose_prices_are_too_old_today_says_so_and_is_no_error(client, monkeypatch):
    far = SimpleNamespace(now=lambda: datetime(2036, 2, 1, tzinfo=UTC))
    monkeypatch.setattr(costs, "timezone", far)
    answer = client.get(URL)
    page = html_of(answer)
    assert answer.status_code == 200
    assert "This is an example" in page
    assert re.search(r">\s*The price of \S+ is from 2026-\S+, [\d,]+ days before 2036-02-01; at most 180", page)
    assert client.get(f"{URL}?{urlencode(asked())}").status_code == 400


def test_the_gauges_of_a_row_have_the_same_ends(client):
    table = html_of(client.get(URL)).split('aria-label="Table: options side by side"')[1].split("</table>")[0]
    ends = [re.findall(r'class="interval-label"[^>]*>([^<]*)<', row) for row in table.split("</tr>")]
    shared = [set(zip(row[::2], row[1::2], strict=True)) for row in ends if len(row) > 2]
    assert shared
    assert [len(each) for each in shared] == [1] * len(shared)


def test_the_address_holds_what_was_asked(client):
    page = client.get(f"{URL}?{urlencode(asked(name='Ranking'))}")
    text = html_of(page)
    assert page.status_code == 200
    assert 'value="Ranking"' in text
    assert "This is an example" not in text
    assert "aws/us-east-1/g5.xlarge on demand" in text


def test_what_the_numbers_leave_out_and_models_that_end_stand_above_them(client):
    page = html_of(client.get(f"{URL}?{urlencode(asked())}"))
    above = page.split('aria-label="Table: options side by side"')[0]
    assert "<strong>Managed API, left out:</strong> The prices include cache_read_tokens, web_searches" in above
    assert "<strong>Managed API, ending model:</strong> openai/gpt-4o-mini" in above


def test_one_option_alone_is_enough(client):
    text = html_of(client.get(f"{URL}?{urlencode(asked(b__kind='none'))}"))
    assert "Own replicas" not in text.split("Side by side")[1]
    assert "cheapest in" not in text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"a__sku": "openai/gpt-4o-minni"}, "The price book has no &#x27;openai/gpt-4o-minni&#x27;. Nearest: "),
        ({"b__service_ms": "900"}, "No number of replicas"),
        ({"b__service_ms": ""}, "This kind of serving requires a value."),
        ({"b__service_ms": "fast"}, "Enter one number, or a 90 % range like 0.1 to 0.14"),
        ({"requests_per_year": "5 to 3"}, "Enter the smaller number first"),
        ({"b__training_sku": ""}, "Enter the SKU of the training machines"),
        ({"years": "31"}, "less than or equal to 30"),
        ({"requests_per_year": "0"}, "requests_per_year"),
        ({"requests_per_year": "0 to 5"}, "must be above zero, at both ends of a range"),
        ({"b__service_ms": "0 to 5"}, "must be above zero"),
    ],
)
def test_a_fault_stands_beside_its_field(client, changes, reason):
    page = client.get(f"{URL}?{urlencode(asked(**changes))}")
    assert page.status_code == 400
    assert reason in html_of(page)
    assert "Side by side" not in html_of(page)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("120", (120, 120)),
        ("0.1-0.14", (0.1, 0.14)),
        ("0 to 5000", (0, 5000)),
        ("0.1 to 0.14", (0.1, 0.14)),
        ("1,500 \N{EN DASH} 2,000", (1500, 2000)),
        ("15e6 to 2.5e7", (15e6, 2.5e7)),
        ("", None),
    ],
)
def test_ranges_are_written_as_people_write_them(text, ends):
    assert RangeField(required=False).clean(text) == ends


def test_a_spec_is_shown_kept_and_given_a_link(client, author):
    source = yaml.safe_dump(cost_spec())
    shown = client.post(f"{URL}spec/", {"source": source, "then": "show"})
    assert "Own replicas" in html_of(shown)
    assert CostProjection.objects.count() == 0
    kept = client.post(f"{URL}spec/", {"source": source, "then": "keep"})
    row = CostProjection.objects.get()
    assert (kept.status_code, kept["Location"]) == (302, f"/costs/{row.token}/")
    assert (row.title, row.kept_by, row.spec) == ("Visual search", author, cost_spec())
    assert "Visual search" in html_of(client.get(URL))


def test_a_spec_may_be_a_file_and_may_be_edited(client):
    file = SimpleUploadedFile("costs.yaml", yaml.safe_dump(cost_spec()).encode())
    assert client.post(f"{URL}spec/", {"file": file, "then": "keep"}).status_code == 302
    assert "annotated" not in html_of(client.post(f"{URL}spec/", {"source": "kind: x", "then": "edit"}))
    assert "kind: CostSpec" in html_of(client.get(f"{URL}spec/"))


@pytest.mark.parametrize(
    ("source", "reason"),
    [("kind: [", "not valid YAML"), ("", "must be a mapping"), ("kind: CostSpec", "apiVersion")],
)
def test_a_faulty_spec_is_refused_with_its_place(client, source, reason):
    page = client.post(f"{URL}spec/", {"source": source, "then": "keep"})
    assert page.status_code == 400
    assert reason in html_of(page)
    assert CostProjection.objects.count() == 0


def test_whoever_has_the_link_reads_it_and_nobody_guesses_it(as_, author, now, outsider):
    row = writes.project_and_store(spec=cost_spec(), by=author, now=now)
    page = html_of(as_(outsider).get(f"/costs/{row.token}/"))
    assert f"http://testserver/costs/{row.token}/" in page
    assert "a quote of September 2026" in page
    assert as_(outsider).get("/costs/AAAAAAAAAAAAAAAAAAAAAA/").status_code == 404


def test_at_todays_prices_nothing_moves_where_nothing_moved(client, author, now):
    row = writes.project_and_store(spec=cost_spec(), by=author, now=now)
    assert "All prices in this projection are unchanged" in html_of(client.get(f"/costs/{row.token}/?prices=today"))


def test_a_price_that_moved_is_told_with_what_it_does(client, author, now):
    spec = cost_spec()
    document = projections.projected(spec, on=now.date())
    spec["options"][0]["serving"]["usd_per_replica_h"]["usd"] = 2.0
    row = writes.store(spec=spec, document=document, by=author, now=now)
    again = projections.replay(row, now=now)
    (move,) = again.prices
    assert (move["item"], move["before"], move["after"], move["ratio"]) == (
        "options[0].serving.usd_per_replica_h",
        "1.0",
        "2.0",
        2.0,
    )
    served = next(each for each in again.metrics if each.metric == "inference_cost_1y_usd")
    assert served.after == 2 * served.before
    assert served.share == Decimal("1.0")
    page = html_of(client.get(f"/costs/{row.token}/?prices=today"))
    assert "Changed prices" in page
    assert "100" in page
    assert "\N{MULTIPLICATION SIGN} 2.000" in page
    assert "options[0]" not in page


def test_kept_projections_stand_side_by_side(client, author, now):
    rows = [writes.project_and_store(spec=cost_spec(name=name), by=author, now=now) for name in ("First", "Second")]
    page = client.get(reverse("benchmarking:compare_projections"), {"p": [row.token for row in rows]})
    assert page.status_code == 200
    assert page.content.decode().count("Managed API") >= 2
    one = client.get(reverse("benchmarking:compare_projections"), {"p": rows[0].token})
    assert one.status_code == 400
    assert "Select 2 to 6 kept projections" in html_of(one)


def test_charts_are_drawn_of_what_is_kept(client, author, now):
    row = writes.project_and_store(spec=cost_spec(), by=author, now=now)
    for name in ("bands", "crossover", "moves-0"):
        chart = client.get(f"/costs/{row.token}/charts/{name}.svg")
        assert (chart.status_code, chart["Content-Type"]) == (200, "image/svg+xml")
        assert chart.content.startswith(b"<svg")
    assert client.get(f"/costs/{row.token}/charts/moves-7.svg").status_code == 404
    flat = cost_spec(only="api", load={"requests_per_year": 1000})
    certain = writes.project_and_store(spec=flat, by=author, now=now)
    assert client.get(f"/costs/{certain.token}/charts/moves-0.svg").status_code == 404
