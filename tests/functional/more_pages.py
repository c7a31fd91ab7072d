"""Things whose pages are looked at beside those of requests and runs, and the addresses of these pages."""

from collections.abc import Iterator
from datetime import datetime

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.urls import reverse

from benchmarking.projections import actions as projections
from benchmarking.runs.models import Run
from governance.bills import tasks as bills_tasks
from governance.bills.actions import bills
from governance.bills.actions.bills import Delivery
from governance.findings import actions as findings
from governance.findings.enums import Severity
from reviews.quarterly.actions import quarterly_packets
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import requests
from tests.factories import cycles
from tests.factories import requests as walks
from tests.factories.absences import make_absence
from tests.factories.allocation import publish_rules
from tests.factories.bills import csv_bytes, row
from tests.factories.costs import cost_spec
from tests.factories.discussions import make_comment
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.saved_views import make_view
from tests.factories.workers import make_worker
from tests.integration.reviews.quarterly.test_portfolio_pages import state_value

Place = tuple[User | None, str]


def furnish(cast: Cast, *, decided: ReviewRequest, in_review: ReviewRequest, now: datetime) -> list[Place]:
    """Make one of each thing that is no request; return the addresses of its pages, with who looks at them."""
    make_absence(cast.approver, now=now, first=3)
    make_view(cast.author, now=now)
    return [
        *_in_the_house(cast),
        *_of_findings(cast, now),
        *_of_discussions(cast, in_review, now),
        *_of_costs(cast, now),
        *_of_bills(cast, now),
        *_of_runs(cast, decided, now),
        *_of_the_quarter(cast, decided, now),
    ]


def _in_the_house(cast: Cast) -> Iterator[Place]:
    own = ("/settings/", "/absences/", "/saved-views/", "/search/", "/search/?q=search", "/search/?q=nothing+like+it")
    own += ("/workloads/", "/usage/", "/requests/preview/")
    yield from ((cast.author, path) for path in own)
    yield cast.approver, "/absences/"
    yield from (
        (cast.admin, path) for path in ("/settings/", "/settings/health/", "/settings/keys/", "/settings/people/")
    )
    yield from ((cast.author, f"/accounts/{path}") for path in ("logout/", "2fa/"))
    yield from ((None, f"/accounts/{path}") for path in ("signup/", "3rdparty/login/cancelled/"))


def _of_findings(cast: Cast, now: datetime) -> Iterator[Place]:
    fields = {"kind": "bill.unallocated", "subject": "AWS", "text": "No rule takes 3 USD.", "key": "k"}
    row = findings.raise_once(
        sighting=findings.Sighting(**fields, severity=Severity.HIGH, owner=cast.author, due_on=now.date()),
        by=None,
        now=now,
    )
    yield cast.author, f"/findings/{row.pk}/"
    yield cast.approver, f"/findings/{row.pk}/"


def _of_discussions(cast: Cast, request: ReviewRequest, now: datetime) -> Iterator[Place]:
    make_comment(request, by=cast.reviewer_one, now=now)
    yield cast.author, f"/discussions/request/{request.ref}/"


def _of_costs(cast: Cast, now: datetime) -> Iterator[Place]:
    kept = [
        projections.project_and_store(spec=cost_spec(name=name), by=cast.author, now=now).token
        for name in ("Visual search", "Visual search, larger")
    ]
    yield cast.author, "/costs/spec/"
    yield cast.author, f"/costs/{kept[0]}/"
    yield cast.author, f"/costs/{kept[0]}/?prices=today"
    yield cast.author, f"/costs/compare/?p={kept[0]}&p={kept[1]}"


def _of_bills(cast: Cast, now: datetime) -> Iterator[Place]:
    rules = publish_rules(cast=cast, now=now)
    rows = [row(), row(Tags="", EffectiveCost="3"), row(BillingCurrency="x")]
    upload = ContentFile(csv_bytes(rows), name="september.csv")
    bill = bills.receive(upload=upload, delivery=Delivery(), by=cast.finance, now=now)
    bills_tasks.ingest_bill(bill.pk)
    own = f"/bills/{bill.pk}/"
    paths = ("/bills/", own, f"{own}spend/", f"{own}spend/?by=lines", f"{own}allocate/?service=AmazonSageMaker")
    paths += ("/spend/?month=2026-09", "/spend/unallocated/?month=2026-09-01")
    paths += ("/allocation-rules/", "/allocation-rules/new/", f"/allocation-rules/{rules.number}/")
    yield from ((cast.finance, path) for path in paths)


def _of_runs(cast: Cast, decided: ReviewRequest, now: datetime) -> Iterator[Place]:
    asset, done, other = decided.model_version.asset, *Run.objects.filter(state="done").order_by("pk")[:2]
    cycles.make_kpi(asset=asset, by=cast.author, now=now)
    yield cast.author, "/runs/"
    yield cast.author, f"/runs/compare/?run={done.pk}&run={other.pk}"
    yield from ((cast.author, f"/datasets/{part}") for part in ("", "new/", f"{decided.dataset_id}/"))
    yield cast.author, f"/models/{asset.team.slug}/{asset.slug}/kpis/"
    yield cast.author, "/scorecard/"
    yield cast.author, f"/versions/{decided.model_version_id}/"
    yield cast.admin, f"/workers/{make_worker(cast=cast, now=now).worker.pk}/"


def _of_the_quarter(cast: Cast, decided: ReviewRequest, now: datetime) -> Iterator[Place]:
    """A meeting under way, after its packet, with a decision, open items and something for the optimizer."""
    bidder = walks.make_draft(
        by=cast.author, now=now, version=make_version(by=cast.author, now=now, slug="bidder", seed=5), title="Bidder"
    )
    state_value(bidder, cast, now)
    yield cast.author, reverse("reviews:submit", args=[bidder.ref])
    waiting = walks.make_draft(
        by=cast.author, now=now, version=make_version(by=cast.author, now=now, slug="pricer", seed=6), title="Pricer"
    )
    state_value(waiting, cast, now)
    requests.submit(request=waiting, by=cast.author, now=now)
    cycle = cycles.make_frozen(now=now)
    quarterly_packets.issue(cycle=cycle, by=None, now=cycle.cut_off_at)
    action = cycles.make_action(cast=cast, now=now, asset=decided.model_version.asset)
    (item, *_) = cycles.make_proposed(cycle=cycle, cast=cast, now=now, count=2)
    parts = ("", "portfolio/", f"meeting/{item.pk}/", f"meeting/{item.pk}/?presenter=1")
    parts += ("meeting/proposals/", "close/", "packets/1/")
    yield cast.approver, "/cycles/"
    yield from ((cast.approver, f"/cycles/{cycle.quarter}/{part}") for part in parts)
    yield cast.author, f"/action-items/{action.ref}/"
