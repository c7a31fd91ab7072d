"""What came of all that people were promised: what is lost, doubled, or done on the wrong hardware."""

import json
import os
import ssl
import urllib.request
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db.models import Sum

from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.audit.queries import trail
from governance.budgets.models import LedgerEntry
from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from reviews.authorizations.models import Authorization
from reviews.feed.models import FeedEntry
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket
from tests.promises.hosts.next_version.apps import KIND

HARDWARE = {"cpu": {"cpu1", "cpu2"}, "gpu": {"gpu1"}}


def open_work() -> int:
    """Messages and runs that are not at their end, without what waits for a worker of the next version."""
    messages = OutboxMessage.objects.filter(state__in=UNFINISHED).exclude(kind=KIND)
    return messages.count() + Run.objects.filter(state__in=UNFINISHED).count()


def verdict(*, accepted: list[str], voted: list[str], jira: str, beats: Path) -> dict[str, Any]:
    """The figures: those of `faults` must be nought."""
    requests = ReviewRequest.objects.filter(ref__in=accepted, submitted_at__isnull=False)
    runs = Run.objects.filter(asked_for__in=accepted)
    faults = {
        "requests_lost": len(accepted) - requests.count(),
        "requests_doubled": ReviewRequest.objects.count() - len(set(accepted) | set(voted)),
        "runs_lost": 2 * len(accepted) - runs.filter(state=JobState.DONE).count(),
        "runs_doubled": sum(n > 1 for n in _events("run.done").values()),
        "messages_unfinished": OutboxMessage.objects.exclude(state=JobState.DONE).count(),
        **_tickets(jira),
        **_decisions(voted),
        **_traces(beats),
        "breaks_in_the_audit_trail": int(trail.first_broken() is not None),
    }
    counted = {"requests": len(accepted), "decisions": len(voted), "messages": OutboxMessage.objects.count()}
    return counted | {"runs": runs.count(), "events": AuditEvent.objects.count(), "faults": faults}


def _events(kind: str) -> Counter[str]:
    return Counter(AuditEvent.objects.filter(kind=kind).values_list("subject", flat=True))


def _tickets(jira: str) -> dict[str, int]:
    trust = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
    with urllib.request.urlopen(f"{jira}/_state", timeout=10, context=trust) as answer:
        issues = json.load(answer)["issues"]
    labels = Counter(label for issue in issues for label in issue["fields"]["labels"])
    wanted = set(Ticket.objects.values_list("label", flat=True))
    return {
        "tickets_lost": len(wanted - set(labels)),
        "tickets_doubled": sum(count > 1 for label, count in labels.items() if label in wanted),
    }


def _decisions(voted: list[str]) -> dict[str, int]:
    """One authorization, one commitment for each quarter and unit, and one position of the feed for each decision."""
    authorizations = Authorization.objects.filter(decision__request__ref__in=voted).count()
    keys = LedgerEntry.objects.filter(request_ref__in=voted, is_commitment=True)
    sums = {row["request_ref"]: row["usd"] for row in keys.values("request_ref").annotate(usd=Sum("amount"))}
    positions = list(FeedEntry.objects.order_by("position").values_list("position", flat=True))
    return {
        "authorizations_lost_or_doubled": abs(len(voted) - authorizations),
        "commitments_off": sum(sums.get(ref) != sums.get(voted[0]) for ref in voted) + (Decimal(0) in sums.values()),
        "gaps_in_the_feed": int(positions != list(range(positions[0], positions[0] + len(positions))))
        if positions
        else 1,
    }


def _traces(beats: Path) -> dict[str, int]:
    """Runs on the wrong hardware, and runs on which an earlier worker worked after a later one had begun."""
    plans = dict(Run.objects.values_list("pk", "plan"))
    wrong, at_once, latest = set(), set(), Counter[str]()
    for line in beats.read_text().splitlines():
        run, fence, host = line.split()
        if host not in HARDWARE[plans[int(run)].get("hardware", "cpu")]:
            wrong.add(run)
        if int(fence) < latest[run]:
            at_once.add(run)
        latest[run] = max(int(fence), latest[run])
    return {"on_the_wrong_hardware": len(wrong), "two_workers_at_once": len(at_once)}
