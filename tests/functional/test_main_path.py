"""The main path in a browser: filed, measured, argued, voted by three people, approved, downloaded."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from benchmarking.runs.models import Run
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.models import Team
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.models import govern, npz_bytes, onnx_bytes
from tests.factories.people import PASSWORD, Cast
from tests.factories.policies import LEAN
from tests.functional.conftest import Visitor, follow
from tests.functional.test_pages import COLORS, EVERYTHING, barriers

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[[User | None], Visitor]
TITLE = "Visual search, autumn model"
METRIC_VALUES = {**walks.DECLARED, "latency_p95_ms": "1.2"}


@pytest.fixture
def house(cast: Cast, now: datetime) -> Cast:
    """The default rulebook in force, and something to spend."""
    checklist = rulebook.draft_checklist(source=defaults.text_of(defaults.CHECKLIST), by=None, now=now)
    rulebook.publish(version=checklist, by=None, now=now)
    policy = rulebook.draft_policy(source=LEAN, by=None, now=now)
    rulebook.publish(version=policy, by=None, now=now)
    walks.allocate_budget(team=Team.objects.get(slug="search"), by=cast.finance, now=now)
    return cast


def log_in(visitor: Visitor, user: User) -> None:
    """By name and password, as a person does."""
    visitor.go("/")
    page = visitor.page
    page.get_by_label("Login").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", name="Your inbox")).to_be_visible()


FIELDS_SHOWN_MAX = 12
FIELDS_SHOWN = """
() => new Set([...document.querySelectorAll("#filing :is(input:not([type=hidden]), select, textarea)")]
  .filter((field) => field.checkVisibility()).map((field) => field.name)).size
"""


def next_step(page: Page, name: str) -> None:
    """The next step of the form, which shows as few fields as this one."""
    page.get_by_role("link", name=f"Next: {name}").click()
    expect(page.get_by_role("navigation", name="Steps").locator("[aria-current=step]")).to_contain_text(name)
    assert 0 < page.evaluate(FIELDS_SHOWN) <= FIELDS_SHOWN_MAX


def file_request(page: Page, folder: Path) -> None:
    """Everything new at once, step by step: model, version, purpose, data, metric values."""
    model, data = folder / "visual-search.onnx", folder / "held-out.npz"
    model.write_bytes(onnx_bytes())
    data.write_bytes(npz_bytes())
    page.get_by_role("link", name="File a request").first.click()
    artifact = page.get_by_role("group", name="What is filed")
    artifact.get_by_label("A registered version").check()
    expect(page.get_by_label("Name of the model")).to_be_hidden()
    artifact.get_by_label("Upload a file").check()
    page.get_by_label("Name of the model").fill("Visual search")
    assert page.evaluate(FIELDS_SHOWN) <= FIELDS_SHOWN_MAX
    next_step(page, "Version")
    expect(page.get_by_label("URI")).to_be_hidden()
    page.get_by_label("New version").fill("1.0.0")
    page.locator("#id_file").set_input_files(model)
    next_step(page, "Purpose")
    page.get_by_label("Title").fill(TITLE)
    page.locator("#id_purpose").fill(walks.PURPOSE)
    page.locator("#id_business_case").fill("Raises conversion of the search page by 1.5 %.")
    next_step(page, "Data")
    page.get_by_role("group", name="Evaluation data").get_by_label("Upload a file").check()
    page.get_by_label("Name of the data").fill("held-out")
    page.get_by_label("License of the data").fill("internal")
    page.get_by_label("Data file").set_input_files(data)
    assert page.evaluate(FIELDS_SHOWN) <= FIELDS_SHOWN_MAX
    next_step(page, "Metric values")
    for name, value in METRIC_VALUES.items():
        field = page.locator(f"#id_{name}")
        if not field.is_visible():
            page.locator(".figure-group", has=field).locator("> summary").click()
            assert page.evaluate(FIELDS_SHOWN) <= FIELDS_SHOWN_MAX
        field.fill(value)


def measure(page: Page, request: ReviewRequest) -> None:
    """A worker measures while the page looks on; the page follows without being loaded again."""
    follow(page.get_by_role("navigation", name="Parts of the request").get_by_role("link", name="Evidence"))
    page.evaluate("window.stayed = true")
    now = timezone.now()
    run = Run.objects.get(asked_for=request.ref)
    claimed = Run.claim(pk=run.pk, now=now, lease=timedelta(minutes=5))
    assert claimed is not None
    claimed.renew(now=now, lease=timedelta(minutes=5), state=JobState.RUNNING, progress=0.4, phase="measuring latency")
    runs = page.locator("#runs-live")
    expect(runs.get_by_text("Measuring: measuring latency")).to_be_visible()
    Run.objects.filter(pk=run.pk).update(state=JobState.QUEUED, next_attempt_at=now)
    walks.finish_run(run=run, now=now)
    told = outbox.deliver(pk=OutboxMessage.objects.get(kind="run.finished").pk, now=timezone.now())
    assert told is not None
    assert (told.state, told.error) == (JobState.DONE, "")
    expect(page.locator("#announcements").get_by_text("The benchmarks are finished")).to_be_visible()
    expect(runs.get_by_text("Valid")).to_be_visible()
    expect(page.locator("#state-line")).to_contain_text("4 open items before the review")
    expect(page.locator("#tabs").get_by_text("1 contradicted")).to_be_visible()
    expect(page.locator("#metric-values-table").get_by_text("Contradicted")).to_be_visible()


def settle_evidence(page: Page) -> None:
    """Explain the contradiction and answer the checklist, each in its place on the page."""
    difference = page.locator("#contradiction-latency_p95_ms")
    difference.get_by_label("Explain the difference").fill("The claim was made for batches of eight.")
    difference.get_by_role("button", name="Explain").click()
    expect(difference.get_by_text("The claim was made for batches of eight.").first).to_be_visible()
    assert page.evaluate("window.stayed") is True
    follow(page.locator("#tabs").get_by_role("link", name="Checklist"))
    page.evaluate("window.stayed = true")
    thin = page.locator("#item-cheaper-alternatives")
    thin.get_by_label("Answer").fill("None.")
    thin.get_by_role("button", name="Answer").click()
    expect(thin.get_by_text("needs at least 40 characters.")).to_be_visible()
    for item, answer in walks.ANSWERS.items():
        place = page.locator(f"#item-{item}")
        if "text" in answer:
            place.get_by_label("Answer").fill(answer["text"])
        else:
            place.get_by_label("I confirm this").check()
        place.get_by_role("button", name="Answer").click()
        expect(place.get_by_text("Complete")).to_be_visible()
    expect(page.locator("#state-line")).to_contain_text("The evidence is complete")
    assert page.evaluate("window.stayed") is True


def vote(visitor: Visitor, rationale: str, condition: tuple[str, str, str] | None = None) -> None:
    """Find the request in the inbox and approve it."""
    visitor.go("/")
    page = visitor.page
    page.locator("#waiting").get_by_role("link", name=TITLE).click()
    page.get_by_label("Approve", exact=True).check()
    page.get_by_label("Rationale").fill(rationale)
    if condition is not None:
        text, owner, due_on = condition
        page.locator("summary", has_text="Approve with conditions").click()
        page.get_by_label("Condition 1").fill(text)
        page.locator("#vote-owner_1").select_option(owner)
        page.locator("#vote-due_on_1").fill(due_on)
    page.get_by_role("button", name="Cast the vote").click()
    expect(page.locator("#announcements").get_by_text("Your vote is cast")).to_be_visible()
    expect(page.locator(".ballots").get_by_text(rationale)).to_be_visible()


def clean(visitor: Visitor) -> list[str]:
    """Everything a page of the path may be blamed for."""
    return [*visitor.violations(), *barriers(visitor, "light", EVERYTHING), *barriers(visitor, "dark", COLORS)]


def test_a_request_goes_the_whole_way(visit: Visit, house: Cast, now: datetime, tmp_path: Path) -> None:
    author = visit(None)
    page = author.page
    log_in(author, house.author)
    assert clean(author) == []

    file_request(page, tmp_path)
    assert clean(author) == []
    follow(page.get_by_role("button", name="Save, then check and submit"))
    assert clean(author) == []
    page.get_by_role("button", name="Submit the request").click()
    expect(page.locator("#announcements").get_by_text("A review is mandatory")).to_be_visible()
    request = ReviewRequest.objects.get()
    assert request.state == "evidence"

    govern(dataset=request.dataset, by=house.author, now=now)
    measure(page, request)
    settle_evidence(page)
    assert clean(author) == []
    follow(page.locator("#tabs").get_by_role("link", name="Decision"))
    assert clean(author) == []
    follow(page.get_by_role("button", name="Request the review"))
    expect(page.locator("#next-title")).to_have_text("Technical review: 2 more approvals needed")
    assert "nobody votes on their own request" in page.locator("#votes").inner_text()

    voters = [visit(person) for person in (house.reviewer_one, house.reviewer_two, house.approver)]
    vote(voters[0], "Latency and quality hold.")
    vote(voters[1], "The cheaper variants were tried.")
    due_on = (now + timedelta(days=14)).date().isoformat()
    vote(voters[2], "Within the quarter's hours.", ("Publish the bill.", str(house.author.pk), due_on))
    assert clean(voters[2]) == []

    request.refresh_from_db()
    assert (request.state, request.decision.outcome) == ("decided", "approved_with_conditions")
    author.go(f"/requests/{request.ref}/")
    expect(page.locator("#next").get_by_text("Approved with conditions")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Signed statement").click()
    envelope = json.loads(Path(download.value.path()).read_text())
    assert envelope == request.decision.authorization.envelope
    page.locator("#tabs").get_by_role("link", name="History").click()
    _download(page, request)
    assert clean(author) == []

    visitors = [author, *voters]
    assert [visitor.record.foreign for visitor in visitors] == [[], [], [], []]
    # The browser itself reports the one answer that was refused on purpose.
    refused = "Failed to load resource: the server responded with a status of 400"
    complaints = [said for visitor in visitors for said in visitor.record.complaints]
    assert [said for said in complaints if not said.startswith(refused)] == []


def _download(page: Page, request: ReviewRequest) -> None:
    """The packet appears by itself once it is drawn; the signed statement is there at once."""
    now = timezone.now()
    packet = Packet.claim(pk=request.packets.get().pk, now=now, lease=timedelta(minutes=1))
    assert packet is not None
    assert packets.store_pdf(packet=packet, pdf=b"%PDF-1.7 packet", pages=3, now=now)
    pdf = page.locator("#packets-live").get_by_role("link", name="PDF")
    expect(pdf).to_be_visible()
    with page.expect_download() as download:
        pdf.click()
    assert download.value.suggested_filename == f"{request.ref}-packet-1.pdf"
    assert Path(download.value.path()).read_bytes() == b"%PDF-1.7 packet"
