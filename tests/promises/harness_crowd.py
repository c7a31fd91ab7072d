"""People who submit while processes die, and what came of all they were promised."""

from collections import Counter
from typing import Any

from benchmarking.runs.models import Run
from governance.audit.models import AuditEvent
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from reviews.requests.models import ReviewRequest
from reviews.tickets.models import Ticket
from tests.promises.harness_calls import Call
from tests.promises.harness_site import Site

TOGETHER = 2


class Crowd:
    """People who submit, two at a time, and who submit again when the connection breaks."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.waiting: list[ReviewRequest] = []
        self.asking: dict[ReviewRequest, Call] = {}
        self.accepted: list[ReviewRequest] = []

    def come(self) -> None:
        """One more, with a request of its own."""
        self.waiting.append(self.site.draft())

    def go_on(self) -> None:
        """Hear the answers that have come, then ask what is still to be asked; waits for nothing."""
        for request, call in [each for each in self.asking.items() if each[1].look()]:
            del self.asking[request]
            if self._is_accepted(request, call):
                self.waiting.remove(request)
                self.accepted.append(request)
        for request in self.waiting[:TOGETHER]:
            if request not in self.asking and self.site.of("web"):
                self.asking[request] = self.site.ask("POST", f"/api/v1/requests/{request.ref}/submit/")

    def is_content(self) -> bool:
        """Whether everybody has been told that their request is in."""
        return not self.waiting

    def _is_accepted(self, request: ReviewRequest, call: Call) -> bool:
        """True where the web process has said that it is done, or was done before."""
        status = self.site.hear(call)
        if status is not None and status not in {200, 409} and status < 500:
            raise AssertionError(f"submitting {request.ref} was answered {status}")
        return status in {200, 409}


def seen(site: Site, crowd: Crowd) -> dict[str, Any]:
    """What must be nought, and what it was measured on."""
    refs = [request.ref for request in crowd.accepted]
    kept = ReviewRequest.objects.filter(submitted_at__isnull=False, pk__in=[row.pk for row in crowd.accepted]).count()
    done = Counter(AuditEvent.objects.filter(kind="run.done").values_list("subject", flat=True))
    unfinished = Run.objects.filter(asked_for__in=refs).exclude(state=JobState.DONE).count()
    unfinished += OutboxMessage.objects.exclude(state=JobState.DONE).count()
    faults, issues = _ticket_faults(site), site.issues()
    runs_missing = sum(not Run.objects.filter(asked_for=ref, state=JobState.DONE).exists() for ref in refs)
    return {
        "requests": len(refs),
        "runs": Run.objects.filter(asked_for__in=refs).count(),
        "messages": OutboxMessage.objects.count(),
        "tickets_of_them": sum(
            any(ref.lower() in label for issue in issues for label in issue["fields"]["labels"]) for ref in refs
        ),
        "lost": len(refs) - kept + unfinished + faults["missing"] + faults["astray"] + runs_missing,
        "doubled": faults["doubled"] + sum(count > 1 for count in done.values()),
        "at_once": _at_once(site),
        "server_errors": sum(n for status, n in site.statuses.items() if status != "died" and int(status) >= 500),
        "calls": site.statuses.total(),
    }


def _ticket_faults(site: Site) -> dict[str, int]:
    """Tickets that are missing, doubled, or not linked to their own."""
    labels = Counter(label for issue in site.issues() for label in issue["fields"]["labels"])
    ids = {label: issue["id"] for issue in site.issues() for label in issue["fields"]["labels"]}
    wanted = {ticket.label: ticket.remote_id for ticket in Ticket.objects.all()}
    return {
        "missing": len(set(wanted) - set(labels)),
        "doubled": sum(count > 1 for count in labels.values()),
        "astray": sum(ids.get(label) != remote_id for label, remote_id in wanted.items()),
    }


def _at_once(site: Site) -> int:
    """Runs on which an earlier worker still worked after a later one had begun."""
    latest: dict[str, int] = {}
    doubled = set()
    for line in site.beats.read_text().splitlines() if site.beats.exists() else []:
        run, fence, _ = line.split()
        if int(fence) < latest.get(run, 0):
            doubled.add(run)
        latest[run] = max(int(fence), latest.get(run, 0))
    return len(doubled)
