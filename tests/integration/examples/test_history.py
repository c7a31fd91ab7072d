"""The generator of history: what it writes is lawful, and each page costs what can be counted."""

from collections import Counter
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db.models import Count, F, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from examples.history import levels
from examples.history.filling import fill
from examples.recorded.clock import RecordedClock
from governance.audit.queries import checkpoints, trail
from governance.audit.queries.keys import public_key
from governance.bills.models import MonthSum, SpendLine
from governance.budgets.models import LedgerEntry
from reviews.authorizations.models import Authorization
from reviews.evidence.models import PolicyEvaluation
from reviews.feed.models import FeedEntry
from reviews.feed.queries.entries import first_entries, size_and_root
from reviews.requests.models import ReviewRequest
from reviews.voting.models import Revision, Vote
from tests.integration.examples.conftest import a_copy_of_the_database
from tests.integration.examples.growth import Cost, costs_of, grown
from tests.integration.reviews.evidence.repeated import again
from weighbridge.client.feed import merkle
from weighbridge.core import attestation
from weighbridge.core.canonical import DIGEST_PREFIX, digest_of
from weighbridge.core.errors import Invalid

SMALL = 336


def _fill(requests: int) -> int:
    return fill(requests=requests, now=timezone.now(), progress=lambda share, what: None)


@pytest.mark.slow
def test_ten_years_of_two_divisions_are_lawful(loaded: RecordedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "BLOCKS_OF_A_DIVISION", levels.BLOCKS_MIN // 2)
    originals = dict(Authorization.objects.values_list("number", "subject_digest"))
    recorded, sums = set(ReviewRequest.objects.values_list("ref", flat=True)), _sums()
    assert _fill(SMALL) == SMALL
    years = Counter(at.year for at in ReviewRequest.objects.values_list("created_at", flat=True))
    assert sorted(years) == list(range(2016, 2027))
    assert sum(years.values()) == SMALL
    assert recorded <= set(ReviewRequest.objects.values_list("ref", flat=True))
    assert not ReviewRequest.objects.filter(created_at__gt=loaded.recorded_at).exists()
    _chains_are_whole()
    _documents_agree_with_their_digests()
    assert originals.items() <= dict(Authorization.objects.values_list("number", "subject_digest")).items()
    _nothing_old_is_in_force(loaded)
    _evaluations_repeat()
    assert _sums() == {kind: total * (SMALL // 24) for kind, total in sums.items()}
    keys = ("slice", "month", "rule", "currency")
    of_lines = SpendLine.objects.order_by().annotate(month=TruncMonth("day")).values_list(*keys)
    assert set(MonthSum.objects.values_list(*keys, "lines", "effective")) == set(
        of_lines.annotate(Count("pk"), Sum("effective"))
    )
    call_command("audit", "verify")


def _evaluations_repeat() -> None:
    """Each, with the metric values that counted for it, has the outcome that was recorded."""
    rows = PolicyEvaluation.objects.exclude(policy=None).select_related("policy")
    assert [row.pk for row in rows if again(row).outcome != row.outcome] == []


def _chains_are_whole() -> None:
    assert trail.first_broken() is None
    assert checkpoints.contradictions(public_keys=[public_key()]) == []
    size, root = size_and_root()
    assert size == FeedEntry.objects.count()
    assert DIGEST_PREFIX + merkle.root_of(entry.leaf for entry in first_entries(size=size)).hex() == root
    instants = list(FeedEntry.objects.order_by("position").values_list("at", flat=True))
    assert instants == sorted(instants)


def _documents_agree_with_their_digests() -> None:
    revisions = Revision.objects.select_related("request__decision").all()
    assert all(digest_of(row.bundle) == row.digest for row in revisions)
    approved = [row for row in revisions if hasattr(row.request, "decision")]
    assert all(row.request.decision.bundle_digest == row.digest for row in approved)
    assert len({row.digest for row in revisions}) == len(revisions)
    key = public_key()
    for row in Authorization.objects.select_related("decision__request"):
        statement = attestation.verify(row.envelope, public_key_pem=key)
        assert digest_of(statement) == row.statement_digest
        assert statement["predicate"]["request"] == row.decision.request.ref


def _nothing_old_is_in_force(loaded: RecordedClock) -> None:
    ended = Authorization.objects.filter(expires_at__lte=loaded.recorded_at)
    assert set(ended.values_list("state", flat=True)) == {"expired"}
    assert not Authorization.objects.filter(state="active", expires_at__lte=loaded.recorded_at).exists()
    by_stage = Vote.objects.values("request", "revision", "person").annotate(count=Count("pk"))
    assert set(by_stage.values_list("count", flat=True)) == {1}
    assert not Vote.objects.filter(person=F("request__requester")).exists()


def _sums() -> dict[str, Decimal]:
    """What the ledger holds of each kind that only people and decisions book."""
    rows = LedgerEntry.objects.filter(kind__in=["allocate", "plan", "reserve", "commit"])
    return {row["kind"]: row["total"] for row in rows.values("kind").annotate(total=Sum("amount"))}


def test_too_few_requests_and_an_empty_database_are_refused(loaded: RecordedClock) -> None:
    with pytest.raises(Invalid, match="Ask for 336 requests or more: each year has at least 24"):
        _fill(100)
    assert ReviewRequest.objects.count() == 24
    assert trail.first_broken() is None


@pytest.mark.nightly
def test_what_a_page_costs_is_counted(loaded: RecordedClock) -> None:
    with a_copy_of_the_database():
        _fill(SMALL)
        assert ReviewRequest.objects.count() == SMALL
        costs = costs_of("requester")
    assert ReviewRequest.objects.count() == 24
    assert costs["reviews:inbox"].queries > 0 < costs["reviews:inbox"].rows
    assert grown(costs, costs, rows=1, size=1) == {}
    more = {"reviews:inbox": Cost(10_000, costs["reviews:inbox"].rows, costs["reviews:inbox"].size)}
    told = f"queries {costs['reviews:inbox'].queries} -> 10000"
    assert grown(costs, more, rows=1, size=1) == {"reviews:inbox": told}
