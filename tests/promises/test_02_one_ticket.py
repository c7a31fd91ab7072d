"""Promise 2: a request that must be reviewed has exactly one ticket, whatever dies, lags or gets lost on the way."""

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from governance.jobs import kinds, outbox
from governance.jobs.models import OutboxMessage
from governance.operations import actions as operations
from reviews.tickets.jira.tracker import JiraTracker
from reviews.tickets.models import Ticket
from reviews.tickets.ports import OutcomeUnknown, RemoteTicket, TicketDraft
from reviews.workflow.actions import requests
from tests.promises import harness_report, tickets
from tests.promises.tickets import CREATE, LONG, NO_FAULTS, World, forked, states
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db(transaction=True)

LOST_ANSWERS = {
    "dropped after the commit": {"drop_after_commit": True},
    "dropped before the commit": {"drop_before_commit": True},
    "503 after the commit": {"fail_503_after_commit": True},
    "read timeout": {"delay_s": 0.8},
}
DEATHS = (tickets.die_before_post, tickets.die_after_post, tickets.die_before_commit)
LAGS_S = (0, 5, 60)
KILLS = 70 if LONG else 6
KILLED = -9


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Iterator[World]:
    with tickets.world(monkeypatch, settings, tmp_path) as made:
        yield made


def told(world: World, what: str, *, kills: int) -> None:
    """What the page of promises prints."""
    faults = {name: len(found) for name, found in world.faults().items()}
    counts = {"requests": Ticket.objects.count(), "tickets": len(world.jira.issues.issues)}
    harness_report.tell("tickets", __file__, what=what, kills=kills, **counts, **faults)


def dying(world: World, message: OutboxMessage, death: Callable[[], None]) -> Callable[[], None]:
    def work() -> None:
        death()
        world.deliver(message)

    return work


@pytest.mark.parametrize("lag_s", LAGS_S)
def test_every_way_to_lose_an_answer_leaves_one_ticket(world: World, lag_s: int) -> None:
    world.jira.config.index_lag_s = lag_s
    for fault in LOST_ANSWERS.values():
        request = world.submit()
        world.jira.order(CREATE, **fault)
        world.deliver(world.head(request))
    for death in DEATHS:
        request = world.submit()
        assert forked(dying(world, world.head(request), death)) == [KILLED]
        assert Ticket.objects.get(request=request).remote_id == ""
    assert OutboxMessage.objects.filter(kind="ticket.open", state="done").count() == 0
    world.settle()
    assert world.faults() == NO_FAULTS
    assert len(world.jira.issues.issues) == len(LOST_ANSWERS) + len(DEATHS)
    assert set(states()) == {"done"}
    told(world, f"each way to lose an answer, index lag {lag_s} s", kills=len(DEATHS))


@pytest.mark.parametrize("lag_s", LAGS_S)
def test_two_workers_that_are_killed_again_and_again(world: World, lag_s: int) -> None:
    """Both take what is due at once; one of them, or both, dies at a random point of a random message.

    A message whose worker died twelve times is given up and shown; a person sets it going again.
    """
    world.jira.config.index_lag_s = lag_s
    rng, kills = random.Random(lag_s), 0
    while kills < KILLS:
        request = world.submit()
        world.tell(request, "evidence", "Measured.")
        for _ in range(rng.randrange(3)):
            world.jira.order(CREATE, **rng.choice(list(LOST_ANSWERS.values())))
        for _ in range(8):
            if not world.step():
                break
            kills += forked(*(worker(world, rng) for _ in range(2))).count(KILLED)
    world.jira.site.faults.clear()
    world.settle()
    for message in OutboxMessage.objects.filter(state="dead"):
        assert message.attempts == message.max_attempts == outbox.ATTEMPTS_MAX
        operations.retry(message=message, by=world.admin, now=world.clock())
    world.settle()
    assert world.faults() == NO_FAULTS
    assert set(states()) == {"done"}
    for ticket in Ticket.objects.all():
        assert [text.count("Measured.") for text in world.comments(ticket.request)] == [1]
    told(world, f"two workers, index lag {lag_s} s", kills=kills)


def worker(world: World, rng: random.Random) -> Callable[[], None]:
    death, seed = rng.choice([*DEATHS, None]), rng.random()

    def work() -> None:
        if death is not None:
            death()
        world.deliver_due(random.Random(seed))

    return work


def test_eight_processes_see_one_crossing(world: World) -> None:
    for _ in range(10 if LONG else 1):
        draft = world.draft()

        def submit_and_deliver(draft: object = draft) -> None:
            with contextlib.suppress(WrongState):
                requests.submit(request=draft, by=world.author, now=timezone.now())
            world.deliver_due()

        assert forked(*[submit_and_deliver] * 8) == [0] * 8
    world.settle()
    assert (
        OutboxMessage.objects.filter(kind="ticket.open").count()
        == len(world.jira.issues.issues)
        == Ticket.objects.count()
    )
    assert world.faults() == NO_FAULTS
    told(world, "eight processes see one crossing", kills=0)


def test_a_worker_that_wakes_after_its_lease_asks_for_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first finds no ticket and falls asleep right before asking for one; a second opens it meanwhile."""
    message, find = world.head(world.submit()), JiraTracker.find

    def sleeps(self: JiraTracker, label: str) -> RemoteTicket | None:
        found = find(self, label)
        monkeypatch.setattr(JiraTracker, "find", find)
        world.clock.move(seconds=kinds.effect_lease().total_seconds() + 1)
        world.deliver(message)
        return found

    monkeypatch.setattr(JiraTracker, "find", sleeps)
    world.deliver(message)
    assert world.faults() == NO_FAULTS
    assert len(world.jira.requests("POST /rest/api/3/issue ")) == 1
    assert Ticket.objects.get().key == "MR-1"


@pytest.mark.parametrize("late_s", [100, 151, 3600])
def test_a_worker_held_up_after_its_last_look_asks_for_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, late_s: int
) -> None:
    """It has written down that it asks, and is held up before the creation is sent; another may open the ticket."""
    world.jira.config.index_lag_s = 45
    message, ask = world.head(world.submit()), JiraTracker.open

    def held_up(self: JiraTracker, draft: TicketDraft, *, not_after: datetime) -> RemoteTicket:
        monkeypatch.setattr(JiraTracker, "open", ask)
        world.clock.move(seconds=late_s)
        world.deliver(message)
        return ask(self, draft, not_after=not_after)

    monkeypatch.setattr(JiraTracker, "open", held_up)
    world.deliver(message)
    by_the_other = int(late_s > kinds.effect_lease().total_seconds())
    assert len(world.jira.requests("POST /rest/api/3/issue ")) == by_the_other
    world.settle()
    assert world.faults() == NO_FAULTS
    assert len(world.jira.requests("POST /rest/api/3/issue ")) == 1


def test_a_creation_sent_at_the_last_moment_is_found_before_another_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Search knows it 45 s after it was done, which may be as late as the time-outs allow."""
    world.jira.config.index_lag_s = 45
    message, ask = world.head(world.submit()), JiraTracker.open

    def held_up(self: JiraTracker, draft: TicketDraft, *, not_after: datetime) -> RemoteTicket:
        monkeypatch.setattr(JiraTracker, "open", ask)
        world.clock.moment = not_after
        ask(self, draft, not_after=not_after)
        raise OutcomeUnknown("The answer was lost.", settle_s=self.settings.settle_s)

    monkeypatch.setattr(JiraTracker, "open", held_up)
    world.deliver(message)
    assert len(world.jira.requests("POST /rest/api/3/issue ")) == 1
    world.settle()
    assert world.faults() == NO_FAULTS
    assert len(world.jira.requests("POST /rest/api/3/issue ")) == 1


def test_a_database_restored_from_before_the_ticket_finds_it(world: World) -> None:
    request = world.submit()
    message = world.head(request)
    before = OutboxMessage.objects.filter(pk=message.pk).values().get()
    world.settle()
    Ticket.objects.update(state="waiting", remote_id="", key="", url="")
    OutboxMessage.objects.filter(pk=message.pk).update(**before)
    world.settle()
    assert world.faults() == NO_FAULTS


def test_a_jira_that_never_says_whether_it_did_is_asked_ever_more_rarely(world: World) -> None:
    """Creation fails with 500 for hours; nothing is lost, and when Jira recovers there is one ticket."""
    world.submit()
    world.jira.order(CREATE, status=500, times=-1)
    for _ in range(8):
        world.step()
        world.deliver_due()
    sent_s = [moment_s for moment_s, line in world.jira.site.arrivals if line.endswith("POST /rest/api/3/issue")]
    waits_s = [round(later - earlier) for earlier, later in itertools.pairwise(sent_s)]
    assert len(waits_s) >= 2
    assert waits_s[0] >= 95
    assert waits_s[1] >= 2 * 95
    world.jira.site.faults.clear()
    world.settle()
    assert world.faults() == NO_FAULTS
