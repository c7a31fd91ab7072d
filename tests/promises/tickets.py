"""A small world for promises about tickets: a clock that the test moves, a Jira that fails, workers that die.

Nothing waits in real time: index lag, leases, back-off and limits all read the one clock. Workers that are killed are
real processes, forked from the test and ended by SIGKILL at a named point.
"""

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from governance.audit.actions import record as audit
from governance.inventory.models import ModelVersion
from governance.jobs import actions as jobs
from governance.jobs import outbox
from governance.jobs.enums import HELD, UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from reviews.requests.models import ReviewRequest
from reviews.tickets import actions as effects
from reviews.tickets.jira.client import JiraClient
from reviews.tickets.models import Ticket, TicketSite
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import make_cast
from tests.factories.policies import LEAN
from tests.factories.tickets import site_at
from tests.standins.jira_cloud import JiraCloud

LONG = os.environ.get("WEIGHBRIDGE_PROMISES") == "long"
CREATE = "POST .*/issue$"
BEGIN = datetime(2026, 10, 5, 12, tzinfo=UTC)
QUICK, WEBHOOK = {"read_timeout_s": 0.4}, "the secret of the webhook"
TICKET_KINDS = ("ticket.open", "ticket.tell")


class Clock:
    """The time, moved by hand and by a hair at every look, so that no two moments are one."""

    def __init__(self) -> None:
        self.moment = BEGIN

    def __call__(self) -> datetime:
        return self.moment

    def seconds(self) -> float:
        return self.moment.timestamp()

    def move(self, **span: float) -> None:
        self.moment += timedelta(**span)


class World:
    """One installation with one Jira."""

    def __init__(
        self, clock: Clock, jira: JiraCloud, site: TicketSite, author: User, admin: User, version: ModelVersion
    ) -> None:
        self.clock, self.jira, self.site, self.version = clock, jira, site, version
        self.author, self.admin = author, admin
        self._number = 0

    def draft(self) -> ReviewRequest:
        """A request not yet submitted."""
        self._number += 1
        purpose = f"Purpose {self._number}"
        return walks.make_draft(
            by=self.author, now=self.clock(), version=self.version, with_data=False, purpose=purpose
        )

    def submit(self) -> ReviewRequest:
        """A request that wants its ticket."""
        self._number += 1
        return walks.make_submitted(
            by=self.author, now=self.clock(), version=self.version, with_data=False, purpose=f"Purpose {self._number}"
        )

    def tell(self, request: ReviewRequest, occasion: str, reason: str = "") -> None:
        effects.notify_request_ticket(
            request=request, occasion=occasion, reason=reason, by=self.author, now=self.clock()
        )

    def head(self, request: ReviewRequest) -> OutboxMessage:
        """The message of the request that is next."""
        lane = OutboxMessage.objects.filter(lane=f"ticket:{request.ref}", state__in=UNFINISHED)
        return lane.order_by("pk")[0]

    def deliver(self, message: OutboxMessage) -> None:
        with audit.origin("job"):
            outbox.deliver(pk=message.pk, now=self.clock())

    def deliver_due(self, rng: random.Random | None = None) -> int:
        """Deliver everything due, as one worker; how many were tried."""
        due = [row.pk for row in OutboxMessage.due(now=self.clock(), limit=100)]
        (rng or random.Random(0)).shuffle(due)
        for pk in due:
            with audit.origin("job"):
                outbox.deliver(pk=pk, now=self.clock())
        return len(due)

    def next_moment(self) -> datetime | None:
        """When something is due next: the head of a lane has waited long enough, or a lease is over."""
        heads: dict[str, OutboxMessage] = {}
        for message in OutboxMessage.objects.filter(kind__in=[*TICKET_KINDS, "tracker.check"]).order_by("pk"):
            if message.state in {*UNFINISHED, JobState.DEAD}:
                heads.setdefault(message.lane, message)
        moments = [head.next_attempt_at for head in heads.values() if head.state == JobState.QUEUED]
        moments += [head.lease_until for head in heads.values() if head.state in HELD]
        return min(moments, default=None)

    def step(self) -> bool:
        """Move to the next moment at which something is due; False where nothing ever is."""
        self.clock.move(seconds=0.01)
        moment = self.next_moment()
        if moment is None:
            return False
        self.clock.moment = max(self.clock.moment, moment + timedelta(milliseconds=1))
        jobs.mark_dead(model=OutboxMessage, now=self.clock())
        return True

    def settle(self, rounds: int = 500) -> None:
        """Let one worker run until nothing is due any more."""
        for _ in range(rounds):
            if not self.step():
                return
            self.deliver_due()
        raise AssertionError(f"not quiet after {rounds} rounds: {states()}")

    def faults(self) -> dict[str, list[str]]:
        """What is wrong with the tickets: those missing, doubled, or not linked to their own."""
        labels = Counter(label for issue in self.jira.issues.issues for label in issue["fields"]["labels"])
        wanted = {ticket.label: ticket for ticket in Ticket.objects.all()}
        ids = {label: issue["id"] for issue in self.jira.issues.issues for label in issue["fields"]["labels"]}
        return {
            "missing": sorted(set(wanted) - set(labels)),
            "doubled": sorted(label for label, count in labels.items() if count > 1),
            "astray": sorted(label for label, ticket in wanted.items() if ticket.remote_id != ids.get(label)),
        }

    def comments(self, request: ReviewRequest) -> list[str]:
        """The text of each comment on the ticket of the request."""
        remote_id = Ticket.objects.get(request=request).remote_id
        (issue,) = (issue for issue in self.jira.issues.issues if issue["id"] == remote_id)
        return [_text(comment["body"]) for comment in issue["comments"]]


NO_FAULTS: dict[str, list[str]] = {"missing": [], "doubled": [], "astray": []}


def states() -> dict[str, int]:
    """How many messages about tickets stand where."""
    return dict(Counter(OutboxMessage.objects.filter(kind__in=TICKET_KINDS).values_list("state", flat=True)))


@contextmanager
def world(monkeypatch: pytest.MonkeyPatch, settings: Settings, folder: Path, **config: Any) -> Iterator[World]:
    """Everybody, a policy in force, one model, and a Jira that is connected."""
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    monkeypatch.setattr(current_app, "send_task", lambda *arguments, **options: None)
    artifacts = settings.STORAGES["artifacts"] | {"OPTIONS": {"location": folder / "artifacts"}}
    settings.STORAGES = settings.STORAGES | {"artifacts": artifacts}
    with JiraCloud(clock=clock.seconds, **config) as jira:
        settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"TICKETS": settings.WEIGHBRIDGE["TICKETS"] | QUICK}
        site, cast = site_at(jira, now=clock(), webhook=WEBHOOK), make_cast(now=clock())
        for draft, text in (
            (rulebook.draft_checklist, defaults.text_of(defaults.CHECKLIST)),
            (rulebook.draft_policy, LEAN),
        ):
            version = draft(source=text, by=None, now=clock())
            rulebook.publish(version=version, by=None, now=clock())
        yield World(clock, jira, site, cast.author, cast.admin, make_version(by=cast.author, now=clock()))


def forked(*works: Callable[[], None]) -> list[int]:
    """Run each work in a process of its own, all at once; the signal that ended each, 0 where it came to its end."""
    connections.close_all()  # a connection shared with a child would be closed by whoever ends first
    children = [_fork(work) for work in works]
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 -- the child must never come back into the test run
        import traceback

        traceback.print_exc()
        os._exit(1)


def die(*arguments: object, **options: object) -> None:
    """What a power cut does."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_before_post() -> None:
    """In a process of its own: death right before the creation is sent, after it was written down."""
    _around_post(before=die)


def die_after_post() -> None:
    """Death once Jira has answered, before a word of it is kept."""
    _around_post(after=die)


def die_before_commit() -> None:
    """Death inside the transaction that keeps the link."""
    kept = effects.link_ticket
    effects.link_ticket = lambda **arguments: (kept(**arguments), die())


def _around_post(before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None) -> None:
    post = JiraClient.post_json

    def watched(self: JiraClient, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        writes = path == "issue" or path.endswith("/comment")
        if writes:
            before()
        answer = post(self, path, payload)
        if writes:
            after()
        return answer

    JiraClient.post_json = watched


def _text(node: Any) -> str:
    if isinstance(node, dict):
        return node.get("text", "") + _text(node.get("content", []))
    return "\n".join(_text(child) for child in node)
