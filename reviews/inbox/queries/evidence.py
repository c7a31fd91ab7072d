"""Evidence in an inbox: waivers and metric values of open requests that expire soon."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from governance.rulebook.queries.rulebook import checklist_in, policy_in
from reviews.evidence.models import MetricRecord, Waiver
from reviews.inbox.domain import LISTED_MAX, InboxEntry, InboxKind, horizon
from reviews.inbox.queries.reminders import reminder_terms
from reviews.requests.domain.deadlines import WITH_DEADLINE
from reviews.requests.models import ReviewRequest
from weighbridge.core.metrics.standard import metric_words


def expiring_evidence(rows: Iterable[Any], *, now: datetime) -> Iterator[InboxEntry]:
    """The waivers and metric values that expire soon, of own requests, and for leads of requests left.

    What has expired is told by the entry of its request, as what is missing.
    """
    requests = {row.pk: row for row in rows if row.state in WITH_DEADLINE}
    end = now + horizon(reminder_terms())
    for waiver in _waivers(requests).filter(expires_at__gt=now, expires_at__lte=end)[:LISTED_MAX]:
        request = requests[waiver.request_id]
        title = f"The waiver of “{_waived(waiver, request)}” expires"
        step = "Meet it, or ask a platform lead for another waiver."
        yield _entry(request, title, step, waiver.granted_at, waiver.expires_at)
    found: dict[tuple[int, datetime], list[MetricRecord]] = {}
    for record in _values(requests).filter(valid_until__gt=now, valid_until__lte=end):
        if record.valid_until is not None:
            found.setdefault((record.request_id, record.valid_until), []).append(record)
    for (request_id, valid_until), records in islice(found.items(), LISTED_MAX):
        what = ", ".join(sorted({metric_words(record.name) for record in records}))
        since = min(record.observed_at for record in records)
        step = "Measure or state them again." if len(records) > 1 else "Measure or state it again."
        yield _entry(requests[request_id], f"Values expire: {what}", step, since, valid_until)


def _waivers(requests: Mapping[int, ReviewRequest]) -> QuerySet[Waiver]:
    """The waivers that no waiver of the same rule or item outlasts."""
    same = {name: OuterRef(name) for name in ("request", "rule_id", "item_id")}
    longer = Waiver.objects.filter(**same, expires_at__gt=OuterRef("expires_at"))
    return Waiver.objects.filter(~Exists(longer), request__in=requests.keys()).order_by("expires_at", "pk")


def _waived(waiver: Waiver, request: ReviewRequest) -> str:
    """The condition of the rule, or the title of the item, that the waiver lifts."""
    name = waiver.rule_id or waiver.item_id
    rules = policy_in(request.policy).rules if request.policy else ()
    items = checklist_in(request.checklist).items if request.checklist else ()
    words = {rule.id: rule.condition for rule in rules} | {item.id: item.title for item in items}
    return words.get(name, name)


def _values(requests: Mapping[int, ReviewRequest]) -> QuerySet[MetricRecord]:
    """The metric values that no later value of the same metric and basis replaces."""
    same = {name: OuterRef(name) for name in ("request", "name", "basis")}
    later = MetricRecord.objects.filter(**same, pk__gt=OuterRef("pk"))
    return MetricRecord.objects.filter(~Exists(later), request__in=requests.keys()).order_by("valid_until", "pk")


def _entry(request: ReviewRequest, title: str, step: str, since: datetime, ends_at: datetime) -> InboxEntry:
    return InboxEntry(
        kind=InboxKind.EVIDENCE,
        ref=request.ref,
        title=title,
        path=reverse("reviews:detail", args=[request.ref]),
        step=step,
        since=since,
        ends_at=ends_at,
        note=f"{request.title}, {request.model_version}, {request.team.name}",
        state=request.state,
    )
