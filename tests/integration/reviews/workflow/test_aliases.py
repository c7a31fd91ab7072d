"""A managed model without a snapshot: the policy decides whether it is filed, and for how long it is authorized."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import product

import pytest
import yaml
from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.prices import actions as prices
from governance.budgets.enums import BudgetUnit
from governance.inventory.domain.retirement import Announcement
from governance.inventory.models import ModelVersion
from governance.people.queries.people import person_of
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries.rulebook import policy_in
from reviews.authorizations.models import Authorization
from reviews.authorizations.queries.ends import end_by, terms_for
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.feed.queries import gate
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.filings import Filing
from reviews.voting.queries.budget_effects import Shares, shares_of
from reviews.workflow.actions import requests, retirements
from reviews.workflow.tasks import expire_due
from tests.factories import kinds
from tests.factories.people import Cast
from tests.integration.reviews.workflow.test_kinds import STORIES, Story, decided, described, filed, supply
from tests.standstill import refused
from weighbridge.core.errors import Invalid

ALIAS = kinds.MANAGED | {"snapshot": ""}
LATEST = kinds.MANAGED | {"snapshot": "latest"}
PIPELINE = {"kind": "pipeline", "parts": [{"role": "answer", "subject": LATEST}]}
API = STORIES["a language model behind an API"]
CONTRACT = """
apiVersion: weighbridge/v1
kind: NegotiatedRates
organization: example
rates:
  - {{sku: openai/gpt-4o-mini, discount: 0.1, from: 2020-01-01, until: {until}, source: order form 7}}
"""


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def story_of(subject: dict[str, object], task: str = "generation") -> Story:
    return Story(API.policy, described(task, subject), API.signed, API.answers, stages=API.stages)


def refusing(version: PolicyVersion, now: datetime) -> PolicyVersion:
    """Publish the next version of the policy, which takes no model without a snapshot."""
    document = yaml.safe_load(version.source)
    del document["authorization"]["alias_days"]
    draft = rulebook.draft_policy(source=yaml.safe_dump(document, sort_keys=False), by=None, now=now)
    return rulebook.publish(version=draft, by=None, now=now)


def total_of(planned: Shares) -> Decimal:
    return sum((quarter[BudgetUnit.USD] for quarter in planned.values()), Decimal(0))


def cost_of(days: int) -> Decimal:
    """Of what the story states: 900 USD for training, and these days of 20,000 USD a year."""
    return 900 + (Decimal(20_000) * days / 365).quantize(Decimal("0.01"), ROUND_HALF_UP)


def filing_of(version, environment="prod") -> Filing:
    return Filing(
        title="Answers", purpose="Answers", environment=environment, business_case="Saves time.", model_version=version
    )


def test_an_alias_is_authorized_for_thirty_days_and_the_gate_denies_afterwards(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now)
    story = story_of(ALIAS)
    request = filed(story, cast, now)
    supply(story, request, cast, now)
    planned = shares_of(EvidenceSnapshot(request, now))
    decided(story, request, cast, now)
    row = Authorization.objects.get()
    assert row.granted_until == row.expires_at == now + timedelta(days=30)
    assert row.warn_at == now + timedelta(days=15)
    # The cost of thirty days is committed, not that of the year.
    assert total_of(planned) == cost_of(30) == Decimal("2543.84")
    digest, person = request.model_version.digest, person_of(cast.auditor)
    before = now + timedelta(days=30) - timedelta(seconds=1)
    assert gate.decide(digest=digest, environment="prod", person=person, now=before).answer == "allow"
    later = now + timedelta(days=30, seconds=1)
    answer = gate.decide(digest=digest, environment="prod", person=person, now=later)
    assert (answer.answer, answer.standing) == ("deny", "expired")
    expire_due(later)
    row.refresh_from_db()
    assert row.state == "expired"


@pytest.mark.parametrize("subject", [ALIAS, LATEST], ids=["no snapshot", "latest"])
def test_an_alias_is_not_filed_unless_the_policy_allows_it(cast: Cast, now: datetime, subject) -> None:
    shipped = kinds.publish_shipped(now=now)
    refusing(shipped[API.policy], now)
    version = kinds.register(task="generation", subject=subject, by=cast.author, now=now)
    with refused(Invalid, code="alias", field="model_version", match="has no snapshot"):
        requests.create(filing=filing_of(version), by=cast.author, now=now)
    dated = kinds.register(task="generation", slug="dated", subject=kinds.MANAGED, by=cast.author, now=now)
    draft = requests.create(filing=filing_of(dated), by=cast.author, now=now)
    same_team = kinds.register(task="generation", slug="dated", version="2", subject=subject, by=cast.author, now=now)
    with refused(Invalid, code="alias", match="language-model-api allows no model without one"):
        requests.edit(request=draft, filing=filing_of(same_team), by=cast.author, now=now)


def test_a_pipeline_with_an_alias_is_refused_too(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now)
    version = kinds.register(task="retrieval", subject=PIPELINE, by=cast.author, now=now)
    with refused(Invalid, code="alias", match="The policy ranking allows no model"):
        requests.create(filing=filing_of(version), by=cast.author, now=now)


@pytest.mark.parametrize("is_by_digest", [False, True])
def test_a_deployment_of_an_alias_is_refused_and_ends_as_it_does(cast: Cast, now: datetime, is_by_digest) -> None:
    """Wrapping an alias in a deployment, also by its digest alone, gives it no longer life."""
    shipped = kinds.publish_shipped(now=now)
    alias = kinds.register(task="generation", subject=LATEST, by=cast.author, now=now)
    model = {"digest": alias.digest} if is_by_digest else LATEST
    server = {"server": {"name": "gateway", "version": "1"}, "hardware": "managed"} if is_by_digest else {}
    document = {"kind": "deployment", "model": model, "settings": {}, **server}
    version = kinds.register(task="generation", slug="served", subject=document, by=cast.author, now=now)
    assert terms_for(version, policy=policy_in(shipped[API.policy])).valid_days == 30
    with refused(Invalid, code="alias", match="has no snapshot"):
        requests.create(filing=filing_of(version), by=cast.author, now=now)


def test_a_draft_from_before_the_policy_changed_is_not_submitted(cast: Cast, now: datetime) -> None:
    shipped = kinds.publish_shipped(now=now)
    version = kinds.register(task="generation", subject=ALIAS, by=cast.author, now=now)
    draft = requests.create(filing=filing_of(version), by=cast.author, now=now)
    refusing(shipped[API.policy], now)
    with refused(Invalid, code="alias"):
        requests.submit(request=draft, by=cast.author, now=now)
    assert ReviewRequest.objects.get().state == "draft"


def test_a_draft_is_kept_while_no_policy_is_in_force(cast: Cast, now: datetime) -> None:
    version = kinds.register(task="generation", subject=ALIAS, by=cast.author, now=now)
    assert requests.create(filing=filing_of(version), by=cast.author, now=now).state == "draft"


def test_the_earliest_end_counts(cast: Cast, now: datetime) -> None:
    """Approval (180 days), alias (30 days), the vendor's retirement, the end of the contract: the least of them."""
    policy = policy_in(kinds.publish_shipped(now=now)[API.policy])
    for is_alias, retires_in, contract_days in product((False, True), (None, 10, 100, 300), (None, 5, 90, 400)):
        at = transaction.savepoint()
        ends = [now + timedelta(days=30 if is_alias else 180)]
        subject = ALIAS if is_alias else kinds.MANAGED
        version = kinds.register(task="generation", subject=subject, by=cast.author, now=now)
        if retires_in is not None:
            ends.append(announced(version, retires_in, by=cast.author, now=now))
        if contract_days is not None:
            until = now.date() + timedelta(days=contract_days)
            prices.publish(text=CONTRACT.format(until=until), by=cast.finance, now=now)
            ends.append(start_of(until + timedelta(days=1)))
        terms = terms_for(version, policy=policy)
        assert end_by(version, days=terms.valid_days, now=now) == min(ends)
        transaction.savepoint_rollback(at)


def announced(version: ModelVersion, days: int, *, by: User, now: datetime) -> datetime:
    """Announce the retirement in so many days; return the start of that day."""
    day = now.date() + timedelta(days=days)
    announcement = Announcement(retires_on=day, source="a mail")
    retirements.announce(version=version, announcement=announcement, reason="It wrote a mail.", by=by, now=now)
    version.refresh_from_db()
    return start_of(day)


def test_what_ends_sooner_is_budgeted_for_its_days(cast: Cast, now: datetime) -> None:
    kinds.publish_shipped(now=now)
    story = story_of(kinds.MANAGED)
    request = filed(story, cast, now)
    supply(story, request, cast, now)
    version = request.model_version

    def planned(at: datetime = now) -> Decimal:
        row = ReviewRequest.objects.select_related("model_version", "policy", "checklist").get(pk=request.pk)
        return total_of(shares_of(EvidenceSnapshot(row, at)))

    assert terms_for(version, policy=policy_in(request.policy)).valid_days == 180
    assert planned() == cost_of(180)
    prices.publish(text=CONTRACT.format(until=now.date() + timedelta(days=44)), by=cast.finance, now=now)
    assert planned() == cost_of(45)
    announced(version, 20, by=cast.author, now=now)
    assert planned() == cost_of(20)
    assert planned(now + timedelta(days=21)) == cost_of(1)


def test_a_contract_until_the_last_day_of_the_calendar_ends_nothing(cast: Cast, now: datetime) -> None:
    prices.publish(text=CONTRACT.format(until=date.max), by=cast.finance, now=now)
    version = kinds.register(task="generation", subject=kinds.MANAGED, by=cast.author, now=now)
    assert end_by(version, days=180, now=now) == now + timedelta(days=180)


def test_a_contract_without_an_end_and_one_about_another_model_end_nothing(cast: Cast, now: datetime) -> None:
    text = CONTRACT.format(until="2020-12-31").replace(", until: 2020-12-31", "")
    prices.publish(text=text, by=cast.finance, now=now)
    other = CONTRACT.format(until=now.date()).replace("gpt-4o-mini", "gpt-4o").replace("example", "other")
    prices.publish(text=other, by=cast.finance, now=now)
    version = kinds.register(task="generation", subject=kinds.MANAGED, by=cast.author, now=now)
    unpriced = kinds.MANAGED | {"model": "nobody-prices-this"}
    second = kinds.register(task="generation", subject=unpriced, version="2", by=cast.author, now=now)
    for each in (version, second):
        assert end_by(each, days=180, now=now) == now + timedelta(days=180)
