"""Every page, in a browser, by day and by night: no barrier axe can find, no breach of the content policy, no stranger
called.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import expect

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.models import Run
from governance.budgets.domain.quarters import Quarter
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.notifications.models import TeamWebhook
from governance.notifications.queries.links import unsubscribe_url
from governance.people.actions import grants as changes
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from governance.rulebook.models import PolicyVersion
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.changes import REASON, propose
from tests.factories.models import make_version
from tests.factories.notices import make_answered
from tests.factories.people import Cast
from tests.factories.policies import LEAN
from tests.functional.completeness import idle_excuses, unlisted
from tests.functional.conftest import Visitor
from tests.functional.more_pages import Place, furnish

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDE_ENOUGH_PX = 1
WIDTHS_PX = (390, 768, 1440)
THEMES = ("light", "dark")
REFUSED = "Failed to load resource: the server responded with a status of 40"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERYTHING = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
# Nothing but colors differs between the themes.
COLORS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
WEAR = """theme => new Promise((done) => {
  document.documentElement.dataset.theme = theme;
  const settled = () => Promise.allSettled(document.getAnimations().map((each) => each.finished)).then(done);
  requestAnimationFrame(() => requestAnimationFrame(settled));
})"""


@dataclass(frozen=True)
class House:
    """An installation with something in every state."""

    cast: Cast
    quarter: str
    decided: ReviewRequest
    in_review: ReviewRequest
    measuring: ReviewRequest
    draft: ReviewRequest
    done: Run
    running: Run
    failed: Run
    more: tuple[Place, ...]


@pytest.fixture
def house(cast: Cast, now: datetime) -> House:
    """Requests, runs, versions, messages: one in each state worth looking at."""
    _write_rulebook(cast, now)

    def version(slug: str, seed: int):
        return make_version(by=cast.author, now=now, slug=slug, seed=seed)

    decided = walks.make_decided(cast=cast, now=now, version=version("visual-search", 0), result=_result())
    in_review = walks.make_in_review(cast=cast, now=now, version=version("rewriter", 1), title="Query rewriter")
    measuring = walks.make_submitted(by=cast.author, now=now, version=version("ranker", 2), title="Ranker")
    draft = walks.make_draft(by=cast.author, now=now, version=version("speller", 3), title="Speller")
    running, failed = Run.objects.get(asked_for=measuring.ref), _failed(cast, version("old", 4), now)
    held = Run.claim(pk=running.pk, now=now, lease=timedelta(hours=1))
    held.renew(now=now, lease=timedelta(hours=1), state=JobState.RUNNING, progress=0.4, phase="measuring latency")
    _break_messages(now)
    make_answered(cast=cast, now=now)
    quarter = str(Quarter.of(now.date()))
    done = Run.objects.get(asked_for=decided.ref)
    more = tuple(furnish(cast, decided=decided, in_review=in_review, now=now))
    return House(cast, quarter, decided, in_review, measuring, draft, done, running, failed, more)


def _write_rulebook(cast: Cast, now: datetime) -> None:
    source = LEAN
    checklist = rulebook.draft_checklist(source=defaults.text_of(defaults.CHECKLIST), by=None, now=now)
    rulebook.publish(version=checklist, by=None, now=now)
    policy = rulebook.draft_policy(source=source, by=None, now=now)
    rulebook.publish(version=policy, by=None, now=now)
    rulebook.draft_policy(source=source.replace("limit: 200", "limit: 500"), by=cast.approver, now=now)
    _propose(rulebook.draft_policy(source=source, by=cast.approver, now=now), cast, now)


def _propose(version: PolicyVersion, cast: Cast, now: datetime) -> None:
    """A version and a role that wait for a second person, and a role that was refused."""
    propose(version=version, by=cast.approver, now=now)
    for role in (Role.REVIEWER, Role.FINANCE):
        change = changes.propose_grant(user=cast.outsider, role=role, reason=REASON, by=cast.admin, now=now)
    approvals.refuse(change=change, reason="We have enough of them.", by=cast.admin, now=now)


def _result() -> dict[str, object]:
    """With a doubt, samples and a confusion matrix, so that everything a run's page can show is shown."""
    result = walks.result_of(verdict="indicative", reasons=("The machine was busy.",))
    result["samples"] = {"latency_ns": [1_400_000 + 2000 * step for step in range(800)], "stride": 2}
    result["confusion"] = [[90, 10], [4, 96]]
    result["manifest"] |= {"machine": {"cpu": "AMD EPYC", "memory_mb": 25276}}
    return result


def _failed(cast: Cast, version, now: datetime) -> Run:
    plan = {"scenario": "SingleStream", "min_samples": 100}
    run = run_actions.queue(key="f", version=version, dataset=None, plan=plan, asked_for="", by=cast.author, now=now)
    held = Run.claim(pk=run.pk, now=now, lease=timedelta(hours=1))
    jobs.fail(row=held, reason="The model ran out of memory.", now=now)
    return held


def _break_messages(now: datetime) -> None:
    for state, error in (
        (JobState.PAUSED, "No Jira is configured."),
        (JobState.DEAD, "Jira answered 503 twelve times."),
    ):
        row = outbox.enqueue(kind="ticket.open", key=f"broken:{state}", lane=f"broken:{state}", payload={}, now=now)
        OutboxMessage.objects.filter(pk=row.pk).update(state=state, error=error, attempts=12, finished_at=now)


TABS = ("evidence", "costs", "policy", "checklist", "history", "metrics/training_gpu_hours")


def pages(house: House) -> Iterator[tuple[User | None, str]]:
    """Who looks at what; the forms a page offers differ by reader."""
    cast, run = house.cast, "/runs/{}/"
    yield None, "/accounts/login/"
    for path in (
        "/",
        "/requests/",
        "/requests/?q=nothing+like+it",
        "/requests/new/",
        f"/requests/{house.draft.ref}/edit/",
    ):
        yield cast.author, path
    for request in (house.decided, house.in_review, house.measuring, house.draft):
        yield cast.author, f"/requests/{request.ref}/"
    yield from ((cast.approver, f"/requests/{house.decided.ref}/{tab}/") for tab in TABS)
    yield cast.author, f"/requests/{house.measuring.ref}/evidence/"
    yield cast.reviewer_one, "/"
    yield cast.reviewer_one, f"/requests/{house.in_review.ref}/"
    yield cast.approver, f"/requests/{house.decided.ref}/"
    for path in (
        "/models/",
        "/models/?q=nothing+like+it",
        "/models/search/visual-search/",
        "/models/search/visual-search/runs/",
    ):
        yield cast.author, path
    for path in (run.format(house.done.pk), run.format(house.running.pk), run.format(house.failed.pk)):
        yield cast.author, path
    for path in (
        "/rulebook/policies/new/",
        "/rulebook/policies/default/1/form/",
        "/rulebook/policies/default/2/backtest/?against=1",
        "/findings/",
        "/exchange-rates/",
        "/scorecard/",
        "/costs/",
    ):
        yield cast.approver, path
    yield cast.approver, f"/requests/{house.decided.ref}/bills/"
    for path in (
        "/rulebook/",
        "/rulebook/policies/default/1/",
        "/rulebook/policies/default/2/",
        "/rulebook/policies/default/3/",
        "/rulebook/checklists/standard/1/",
    ):
        yield cast.admin, path
    yield cast.admin, "/rulebook/policies/default/diff/?from=1&to=2"
    for path in ("/budgets/", f"/budgets/search/{house.quarter}/USD/", "/budgets/?quarter=2001Q1"):
        yield cast.finance, path
    for path in (
        "/integrations/",
        "/audit/",
        "/audit/chain/",
        "/sandbox/",
        "/workers/",
        "/workers/new/",
        "/prices/",
        "/styleguide/",
        "/help/",
        "/help/glossary/",
        "/accounts/password/change/",
    ):
        yield cast.admin, path
    for path in ("/changes/", *(f"/changes/{change.pk}/" for change in Change.objects.order_by("pk"))):
        yield cast.admin, path
    yield from _pages_of_notifications(cast)
    yield cast.auditor, "/changes/"
    yield cast.outsider, "/integrations/"
    yield cast.outsider, f"/requests/{house.decided.ref}/"
    yield cast.outsider, "/audit/"
    yield from house.more


def _pages_of_notifications(cast: Cast) -> Iterator[tuple[User | None, str]]:
    for path in ("/notifications/", "/notifications/settings/", "/webhooks/"):
        yield cast.admin, path
    yield cast.admin, f"/webhooks/{TeamWebhook.objects.get().pk}/"
    yield cast.outsider, "/notifications/?unread=1"
    yield None, urlsplit(unsubscribe_url(person_id=cast.author.pk, about="lapses")).path


def barriers(visitor: Visitor, theme: str, options: dict[str, object]) -> list[str]:
    """What axe finds in a theme: rule, place, reason."""
    visitor.page.wait_for_load_state()
    visitor.page.evaluate(WEAR, theme)
    found = Axe().run(visitor.page, options=options).response["violations"]
    return [
        f"{theme}: {each['id']} at {node['target']}: {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


def looks(number: int, *, is_everywhere: bool) -> Iterator[tuple[int, str, dict[str, object]]]:
    """The width, the theme and the rules with which a page is looked at: in the normal run one of each, in turns."""
    if not is_everywhere:
        yield WIDTHS_PX[number % len(WIDTHS_PX)], THEMES[number % len(THEMES)], EVERYTHING
        return
    for width_px in WIDTHS_PX:
        yield width_px, "light", EVERYTHING
        yield width_px, "dark", COLORS


def faults_of(visitor: Visitor, path: str, number: int, *, is_everywhere: bool) -> list[str]:
    """What this page may be blamed for."""
    visitor.go(path)
    found, page = visitor.violations(), visitor.page
    if urlsplit(page.url).path != urlsplit(path).path:
        return [f"leads on to {page.url}: this is no page of its own"]
    for width_px in WIDTHS_PX:
        page.set_viewport_size({"width": width_px, "height": 900})
        wider_px = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"{wider_px} px wider than {width_px} px"] * (wider_px > WIDE_ENOUGH_PX)
        for at_px, theme, rules in looks(number, is_everywhere=is_everywhere):
            found += barriers(visitor, theme, rules) if at_px == width_px else []
    return found


@pytest.mark.parametrize(
    "is_everywhere",
    [False, pytest.param(True, marks=pytest.mark.nightly)],
    ids=["in-turns", "both-themes-three-widths"],
)
def test_every_page_in_its_themes(
    visit: Callable[[User | None], Visitor], house: House, *, is_everywhere: bool
) -> None:
    places = list(pages(house))
    assert (unlisted(places, reader=house.cast.admin), idle_excuses(places)) == ([], [])
    visitors: dict[int | None, Visitor] = {}
    faults: dict[str, list[str]] = {}
    for number, (user, path) in enumerate(places):
        key = user.pk if user else None
        visitor = visitors.setdefault(key, visitors.get(key) or visit(user))
        if found := faults_of(visitor, path, number, is_everywhere=is_everywhere):
            faults[f"{path} as {user}"] = found
    assert faults == {}, "\n".join(f"{page}\n  " + "\n  ".join(found) for page, found in faults.items())
    assert [visitor.record.foreign for visitor in visitors.values() if visitor.record.foreign] == []
    complaints = [
        said for visitor in visitors.values() for said in visitor.record.complaints if not said.startswith(REFUSED)
    ]
    assert complaints == []


def test_the_open_palette_has_no_barrier(visit: Callable[[User | None], Visitor], cast: Cast, now: datetime) -> None:
    make_version(by=cast.author, now=now)
    visitor = visit(cast.author)
    visitor.go("/")
    for width_px, theme in ((WIDTHS_PX[0], "dark"), (WIDTHS_PX[-1], "light")):
        visitor.page.set_viewport_size({"width": width_px, "height": 900})
        visitor.page.keyboard.press("Control+k")
        visitor.page.locator("#palette input").fill("visual")
        expect(visitor.page.locator("#palette").get_by_role("link", name="Visual search").first).to_be_visible()
        assert barriers(visitor, theme, EVERYTHING) == []
        visitor.page.keyboard.press("Escape")
    assert visitor.violations() == []
