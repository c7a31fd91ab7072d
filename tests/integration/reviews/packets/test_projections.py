"""The costs on a request's page and over the API: stated by link or as a file, faults beside their field."""

from datetime import UTC, datetime

import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client
from rest_framework.test import APIClient

from benchmarking.projections import actions as kept
from reviews.packets import actions as packets
from reviews.packets.queries.packet import packet_of, packet_page
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import projections
from tests.factories import requests as walks
from tests.factories.costs import cost_spec
from tests.pages import html_of


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def test_a_link_states_the_costs_and_the_page_shows_every_option(submitted, author, now):
    row = kept.project_and_store(spec=cost_spec(), by=author, now=now)
    client, request_page = browser(author), f"/requests/{submitted.ref}/"
    url = f"{request_page}costs/"
    assert "No projection yet" in html_of(client.get(url))
    link = f"http://testserver/costs/{row.token}/?prices=today"
    done = client.post(f"{request_page}projections/", {"link": link, "option": "own"})
    assert (done.status_code, done["Location"]) == (302, f"{url}#costs")
    page = html_of(client.get(url))
    assert "requested option" in page
    assert "Managed API" in page
    walks.take_results(request=submitted, now=now)
    page = html_of(client.get(url))
    assert "Changes caused by the measurement" in page
    assert "Earlier projections" in page


def test_a_file_is_as_good(submitted, author):
    file = SimpleUploadedFile("costs.yaml", yaml.safe_dump(cost_spec(only="own")).encode())
    client = browser(author)
    assert client.post(f"/requests/{submitted.ref}/projections/", {"file": file}).status_code == 302
    assert submitted.projections.get().option == "own"


def test_what_is_wrong_is_said_where_it_was_typed(submitted, author, now):
    row = kept.project_and_store(spec=cost_spec(), by=author, now=now)
    client, url = browser(author), f"/requests/{submitted.ref}/projections/"
    for data, reason in (
        ({}, "Paste the link to a stored projection, or choose a spec file"),
        ({"link": "http://127.0.0.1/costs/nonsense/"}, "There is no such projection; check the link."),
        ({"link": row.token}, "Choose the option of this request: own, api."),
        ({"link": row.token, "option": "gpu"}, "has no option &#x27;gpu&#x27;"),
    ):
        answer = client.post(url, data)
        assert answer.status_code in {400, 422}
        assert reason in html_of(answer)
        assert submitted.title in html_of(answer), "the request and the input stay on the page"
    assert submitted.projections.count() == 0


def test_programs_state_it_too(submitted, author, now):
    client = APIClient()
    client.force_authenticate(author)
    url = f"/api/v1/requests/{submitted.ref}/projections/"
    made = client.post(url, {"spec": cost_spec(), "option": "own"}, format="json")
    assert (made.status_code, made.json()[0]["number"], made.json()[0]["stated_by"]) == (201, 1, "Author")
    token = made.json()[0]["token"]
    again = client.post(url, {"token": token, "option": "api"}, format="json")
    assert [each["option"] for each in again.json()] == ["api", "own"]
    assert client.get(url).json() == again.json()
    assert client.post(url, {"option": "own"}, format="json").status_code == 400


def part_of(request, now):
    return packet_of(snapshot_of(request, now=now)).projection


def test_the_packet_prints_every_option_with_the_prices(submitted, author, now):
    row = kept.project_and_store(spec=cost_spec(), by=author, now=now)
    assert part_of(submitted, now) is None
    projections.state(request=submitted, projection=row, option="own", by=author, now=now)
    said = part_of(submitted, now)
    assert [(option.title, option.is_chosen) for option in said.options] == [
        ("Own replicas", True),
        ("Managed API", False),
    ]
    assert (said.origin, said.changes, said.digest) == ("Stated by Author.", (), row.digest)
    assert said.prices[0].endswith("2.5 USD for one GPU hour, as of 2026-09-01, a quote of September 2026")
    walks.take_results(request=submitted, now=now)
    packet = packets.freeze(request=submitted, by=author, now=now)
    page = packet_page(packet)
    text = render_to_string("reviews/packets/review.html", page.context)
    assert "Options for the same load" in text
    assert "Drawn anew with the service time that run" in text
    assert "options.svg" in page.assets
    assert any(change.startswith("One year of serving: ") for change in part_of(submitted, now).changes)


def test_the_packet_says_which_models_end_and_what_the_costs_leave_out(submitted, author, now):
    spec = cost_spec()
    spec["options"][1]["serving"]["prices"] = {"sku": "openai/gpt-4o-mini"}
    before_the_end = datetime(2026, 11, 1, 12, tzinfo=UTC)
    row = kept.project_and_store(spec=spec, by=author, now=before_the_end)
    projections.state(request=submitted, projection=row, option="api", by=author, now=now)
    ending, missing = part_of(submitted, now).remarks
    assert ending.startswith(
        "Managed API, ending model: openai/gpt-4o-mini is served until 2027-01-14; its successor is"
    )
    assert missing.startswith("Managed API, left out: The prices include cache_read_tokens")
    page = packet_page(packets.freeze(request=submitted, by=author, now=now))
    assert ending in render_to_string("reviews/packets/review.html", page.context)


def test_an_option_that_is_not_served_is_said_to_be_so(submitted, author, now):
    spec = cost_spec()
    spec["options"][0]["serving"]["limit_s"] = 0.36
    row = kept.project_and_store(spec=spec, by=author, now=now)
    projections.state(request=submitted, projection=row, option="api", by=author, now=now)
    own, api = part_of(submitted, now).options
    assert (own.first_year.words, api.is_chosen) == ("not served", True)
