"""Two people, twenty clicks, one outcome: threads against PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from benchmarking.runs.actions import runs as run_actions
from benchmarking.runs.queries import runs
from governance.audit.queries.trail import first_broken
from governance.budgets.models import LedgerEntry
from governance.inventory.models import ModelVersion
from governance.jobs.models import OutboxMessage
from governance.people.domain.roles import Role
from reviews.authorizations.models import Authorization, Decision
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.requests import locking
from reviews.requests.domain.copies import copy_of
from reviews.requests.locking import take_ref
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.voting.domain.electorate import VoteChoice
from reviews.voting.models import Vote, VoteWithdrawal
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions import measurements, requests, review
from reviews.workflow.actions.drafting import amendments
from reviews.workflow.actions.drafting.filing import FilingInput, file_request
from reviews.workflow.actions.requests import Filing
from tests.factories import requests as walks
from tests.factories.models import make_version, new_dataset
from tests.factories.people import Cast, make_person
from tests.integration.reviews.workflow.worlds import World
from tests.threads import in_the_middle, together
from weighbridge.core.errors import Refused

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], object]) -> list[str]:
    """What came of each call, all started together: "done", or the code of the refusal."""
    start = Barrier(len(calls))

    def run(call: Callable[[], object]) -> str:
        start.wait()
        try:
            call()
        except Refused as refusal:
            return refusal.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(run, calls))


def filing_of(version: ModelVersion, *, purpose: str) -> Filing:
    return Filing(
        title="Beside it",
        purpose=purpose,
        environment="prod",
        business_case="More is found.",
        model_version=version,
    )


def check_second_refused(
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[object, str],
    first: Callable[[], ReviewRequest],
    second: Callable[[], object],
) -> None:
    """The second begins in the middle of the first, waits for it, and is refused; neither ends with a deadlock."""
    done, refusal = in_the_middle(monkeypatch, place, first, second)
    assert isinstance(done, ReviewRequest), done
    assert isinstance(refusal, Refused), refusal


def voting(
    world: World, request: ReviewRequest, by: User, stage_id: str, choice: VoteChoice = VoteChoice.APPROVE
) -> Callable[[], object]:
    return lambda: world.vote(request, by, stage_id=stage_id, choice=choice)


def test_two_final_votes_make_one_decision(world: World) -> None:
    request = world.before_the_last_vote()
    other = make_person("other.lead", Role.PLATFORM_LEAD, now=world.now)
    outcome = at_once(
        voting(world, request, world.cast.approver, "gpu-budget"),
        voting(world, request, other, "gpu-budget", VoteChoice.REJECT),
    )
    assert outcome == ["done", "wrong_state"]
    assert (Decision.objects.count(), Vote.objects.count()) == (1, 3)
    decision = Decision.objects.get()
    assert Authorization.objects.count() == (decision.outcome == "approved")
    assert LedgerEntry.objects.filter(kind="commit").count() == 2 * (decision.outcome == "approved")
    assert LedgerEntry.objects.filter(kind="release").count() == 2
    assert Packet.objects.count() == 1
    assert first_broken() is None


def test_a_vote_is_taken_back_or_its_stage_is_complete(world: World) -> None:
    """Of two last voters, one takes the vote back while the other one votes: whoever is first is right."""
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    reason = "I misread the interval."
    outcome = at_once(
        lambda: review.take_back(request=request, reason=reason, by=world.cast.reviewer_one, now=world.now),
        voting(world, request, world.cast.reviewer_two, "technical"),
    )
    stage = snapshot_of(request, now=world.now).electorate.progress.stages[0]
    is_taken_back = VoteWithdrawal.objects.exists()
    assert outcome == (["done", "done"] if is_taken_back else ["done", "stage_complete"])
    assert (stage.needed, Vote.objects.count()) == (1 if is_taken_back else 0, 2)
    assert first_broken() is None


def test_a_vote_is_taken_back_or_the_review_is_decided(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    reason = "I misread the interval."
    outcome = at_once(
        lambda: review.take_back(request=request, reason=reason, by=world.cast.reviewer_one, now=world.now),
        voting(world, request, world.cast.reviewer_two, "technical", VoteChoice.REJECT),
    )
    assert outcome == (["done", "done"] if VoteWithdrawal.objects.exists() else ["done", "wrong_state"])
    assert Decision.objects.get().outcome == "rejected"


def test_a_vote_taken_back_many_times_is_taken_back_once(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    reason = "I misread the interval."
    back = [lambda: review.take_back(request=request, reason=reason, by=world.cast.reviewer_one, now=world.now)] * 4
    assert at_once(*back) == ["done", *["not_voted"] * 3]
    assert at_once(*[voting(world, request, world.cast.reviewer_one, "technical")] * 4) == [
        *["already_voted"] * 3,
        "done",
    ]
    assert (Vote.objects.count(), VoteWithdrawal.objects.count()) == (2, 1)


def test_one_vote_clicked_many_times_is_one(world: World) -> None:
    request = world.in_review()
    outcome = at_once(*[voting(world, request, world.cast.reviewer_one, "technical")] * 8)
    assert outcome == ["already_voted"] * 7 + ["done"]
    assert Vote.objects.count() == 1


def test_one_request_filed_many_times_is_one(cast: Cast, now: datetime) -> None:
    draft = walks.make_draft(by=cast.author, now=now)
    requests.withdraw(request=draft, reason="Filed anew.", by=cast.author, now=now)
    filing = requests.Filing(
        title="Search",
        purpose=walks.PURPOSE,
        environment="prod",
        business_case="More is found.",
        model_version=draft.model_version,
    )
    outcome = at_once(*[lambda: requests.create(filing=filing, by=cast.author, now=now)] * 8)
    assert outcome == ["already_open"] * 7 + ["done"]
    assert list(ReviewRequest.objects.order_by("pk").values_list("state", flat=True)) == ["withdrawn", "draft"]


def test_many_requests_filed_at_once_have_references_of_their_own(cast: Cast, now: datetime) -> None:
    version = walks.make_draft(by=cast.author, now=now).model_version

    def filing(number: int) -> Callable[[], object]:
        wanted = requests.Filing(
            title="Search",
            purpose=f"Purpose {number}",
            environment="prod",
            business_case="More.",
            model_version=version,
        )
        return lambda: requests.create(filing=wanted, by=cast.author, now=now)

    assert at_once(*map(filing, range(8))) == ["done"] * 8
    refs = sorted(ReviewRequest.objects.values_list("ref", flat=True))
    assert refs == [f"MRR-{now.year}-{number:04d}" for number in range(1, 10)]


def test_submitting_twice_opens_one_review(world: World) -> None:
    draft = world.draft()
    outcome = at_once(*[lambda: requests.submit(request=draft, by=world.cast.author, now=world.now)] * 4)
    assert outcome == ["done", "wrong_state", "wrong_state", "wrong_state"]
    assert OutboxMessage.objects.filter(kind="ticket.open").count() == 1
    assert len(runs.of_request(draft.ref)) == 1


def test_two_requests_never_reserve_the_same_money(world: World) -> None:
    first = world.evidence()
    second = walks.make_ready(
        by=world.cast.author,
        now=world.now,
        version=make_version(by=world.cast.author, now=world.now, slug="another", seed=3),
        purpose="Another",
        declared=walks.DECLARED | {"training_cost_usd": "95000", "total_cost_1y_usd": "115400"},
    )
    outcome = at_once(
        *(
            lambda request=request: review.request_review(request=request, by=world.cast.author, now=world.now)
            for request in (first, second)
        )
    )
    assert outcome == ["done", "over_budget"]
    assert ReviewRequest.objects.filter(state="in_review").count() == 1


def test_a_late_run_and_the_last_vote_meet_in_either_order(world: World) -> None:
    request = world.before_the_last_vote()
    run = run_actions.repeat(run=runs.of_request(request.ref)[0], by=world.mate, now=world.now)
    done = walks.finish_run(run=run, now=world.now)
    outcome = at_once(
        voting(world, request, world.cast.approver, "gpu-budget"),
        lambda: measurements.record_measurements(request=request, run=done, now=world.now),
    )
    request.refresh_from_db()
    assert outcome in (["changed", "done"], ["done", "wrong_state"])
    assert (request.state, request.revision, Decision.objects.count()) == ("evidence", 2, 0)


def test_packets_frozen_at_once_are_numbered(world: World) -> None:
    request = world.in_review()
    outcome = at_once(*[lambda: packets.freeze(request=request, by=world.cast.author, now=world.now)] * 4)
    assert outcome == ["done"] * 4
    assert sorted(request.packets.values_list("number", flat=True)) == [1, 2, 3, 4]


def test_two_ticks_and_a_revocation_end_a_commitment_once(world: World) -> None:
    row = world.decided().decision.authorization

    def age() -> object:
        return authorizations.expire_due(now=row.expires_at)

    def revoke() -> object:
        return authorizations.revoke(authorization=row, reason="It leaks.", by=world.cast.approver, now=row.expires_at)

    outcome = at_once(age, age, revoke)
    assert outcome in (["done", "done", "done"], ["done", "done", "wrong_state"])
    ended = LedgerEntry.objects.filter(is_commitment=True)
    usd = sorted(walks.usd_shares(now=world.now))
    assert sorted((each.account.unit, each.amount) for each in ended) == [
        *(("USD", share) for share in usd),
        ("gpu_h", 320),
    ]
    assert first_broken() is None


def test_a_reference_waits_for_no_filing_under_way(cast: Cast, now: datetime) -> None:
    def take() -> str:
        with transaction.atomic():
            return take_ref(now)

    with transaction.atomic():
        assert take_ref(now) == f"MRR-{now.year}-0001"
        assert together([take]) == [f"MRR-{now.year}-0002"]
    assert take() == f"MRR-{now.year}-0001"  # neither came to anything


def test_a_reference_that_was_used_since_it_was_read_is_skipped(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft, real = walks.make_draft(by=cast.author, now=now), locking.next_ref
    read = [draft.ref]
    monkeypatch.setattr(locking, "next_ref", lambda at: read.pop() if read else real(at))
    with transaction.atomic():
        assert take_ref(now) == f"MRR-{now.year}-0002"


def test_a_reference_is_read_again_where_a_thousand_are_taken(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [7, None]
    monkeypatch.setattr(locking, "_try_numbers", lambda **_: found.pop())
    assert take_ref(now) == f"MRR-{now.year}-0007"


def test_an_exchange_beside_a_filing_for_the_same_purpose_is_refused_without_a_deadlock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast, now = world.cast, world.now
    row = walks.make_submitted(by=cast.author, now=now)
    version = make_version(by=cast.author, now=now, version="2.0.0", seed=9)
    filing = filing_of(version, purpose=row.purpose)
    check_second_refused(
        monkeypatch,
        (requests, "record"),
        lambda: requests.create(filing=filing, by=cast.author, now=now),
        lambda: amendments.exchange(request=row, version=version, reason="A better one.", by=cast.author, now=now),
    )
    row.refresh_from_db()
    assert row.state != "withdrawn"


def test_an_edit_beside_an_exchange_for_the_same_purpose_is_no_deadlock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast, now = world.cast, world.now
    row = walks.make_submitted(by=cast.author, now=now)
    version = make_version(by=cast.author, now=now, version="2.0.0", seed=9)
    draft = requests.create(filing=filing_of(version, purpose="Another purpose"), by=cast.author, now=now)
    check_second_refused(
        monkeypatch,
        (requests, "record"),
        lambda: requests.edit(request=draft, filing=filing_of(version, purpose=row.purpose), by=cast.author, now=now),
        lambda: amendments.exchange(request=row, version=version, reason="A better one.", by=cast.author, now=now),
    )
    row.refresh_from_db()
    assert row.state != "withdrawn"


def test_a_filing_with_new_data_beside_another_for_the_same_purpose_is_no_deadlock(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast, now = world.cast, world.now
    version = make_version(by=cast.author, now=now, version="2.0.0", seed=9)
    given = filing_of(version, purpose="The same purpose")
    entry = copy_of(given, FilingInput, version=version, dataset=new_dataset("fresh"), statements=())
    check_second_refused(
        monkeypatch,
        (requests, "create"),
        lambda: file_request(entry=entry, by=cast.author, now=now),
        lambda: requests.create(filing=given, by=cast.author, now=now),
    )
