"""Allocation rules: drafted, previewed, published by somebody else, and put to work on lines old and new."""

from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from governance.bills import tasks as bills_tasks
from governance.bills.actions import allocation, rates
from governance.bills.domain.allocation.rules import FieldPattern, Rule
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.models import AllocationRule, AllocationVersion, Bill, BillSlice, ExchangeRate, SpendLine
from governance.bills.queries import allocation as reads
from governance.jobs.models import OutboxMessage
from governance.people.approvals import actions as approvals
from governance.people.approvals.queries import confirmers
from tests.factories.allocation import RULES, publish_rules, takes
from tests.factories.bills import csv_bytes, row
from tests.factories.changes import REASON, propose, publish
from tests.factories.snapshots import snapshot
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState

pytestmark = pytest.mark.django_db
ROWS = [
    row(),
    row(Tags='{"model":"vs-2"}', BilledCost="5", EffectiveCost="5"),
    row(Tags="", SubAccountId="shared-1", EffectiveCost="3"),
    row(Tags="", SubAccountId="lab", EffectiveCost="2", BillingCurrency="EUR"),
]


def owners():
    found = SpendLine.objects.order_by("-effective").values_list(
        "rule__rule_id", "rule__team__slug", "rule__asset__slug"
    )
    return list(found)


WANTED = [
    ("visual-search", "search", "visual-search"),
    ("visual-search", "search", "visual-search"),
    ("shared-gpus", "ads", None),
    (None, None, None),
]


def test_new_lines_belong_to_whom_the_rules_say(version, cast, now, read):
    publish_rules(cast=cast, now=now)
    read(csv_bytes(ROWS))
    assert owners() == WANTED


def test_lines_on_record_are_assigned_anew_by_a_worker(version, cast, now, read):
    read(csv_bytes(ROWS))
    assert owners() == [(None, None, None)] * 4
    publish_rules(cast=cast, now=now)
    message = OutboxMessage.objects.get(kind=allocation.ASSIGN)
    bills_tasks.reassign_lines(message)
    assert owners() == WANTED
    second = allocation.draft(source=RULES.replace("vs-*", "x-*"), by=cast.finance, now=now)
    publish(version=second, cast=cast, now=now)
    bills_tasks.reassign_lines(message)
    assert owners() == [WANTED[0], (None, None, None), *WANTED[2:]]
    assert AllocationVersion.objects.get(number=1).state == "retired"


def test_without_rules_nothing_is_assigned(read, now):
    bill = read(csv_bytes(ROWS))
    assert allocation.assign(slices=list(bill.slices.all()), now=now) == 0


def test_rules_without_a_rule_free_every_line(version, cast, now, read):
    publish_rules(cast=cast, now=now)
    bill = read(csv_bytes(ROWS))
    publish_rules(cast=cast, now=now, source=RULES[: RULES.index("rules:")] + "rules: []\n")
    assert allocation.assign(slices=list(bill.slices.all()), now=now) == 0
    assert owners() == [(None, None, None)] * 4


def test_a_preview_says_what_each_rule_takes_and_what_is_left(version, read):
    read(csv_bytes(ROWS))
    before = snapshot()
    found = reads.preview(rules=reads.parse(RULES), month=date(2026, 9, 1))
    assert [(each.rule, each.lines, each.costs, each.gpu_hours) for each in found.rules] == [
        ("visual-search", 2, {"USD": Decimal(13)}, Decimal(4)),
        ("shared-gpus", 1, {"USD": Decimal(3)}, Decimal(2)),
    ]
    assert (found.unallocated.lines, found.unallocated.costs) == (1, {"EUR": Decimal(2)})
    assert found.most_expensive == (reads.UnclaimedLines("AWS", "lab", "AmazonSageMaker", "EUR", 1, Decimal(2)),)
    assert reads.preview(rules=reads.parse(RULES), month=date(2026, 8, 1)).unallocated.lines == 0
    assert reads.months() == [date(2026, 9, 1)]
    assert snapshot() == before


@pytest.mark.parametrize(
    ("source", "field", "reason"),
    [
        (
            RULES.replace("account: ads", "account: nobody"),
            "rules[1].account",
            r"not a team: 'nobody'. Teams: ads, search",
        ),
        (RULES.replace("search/visual-search", "search/gone"), "rules[0].model", "Models: search/visual-search"),
        (RULES.replace("[shared*], tags: {model: []}", "[shared*]"), "rules[1].match", "overlap"),
        ("rules: [", "source", "not valid YAML"),
        ("x" * 200_001, "source", "longer than 200,000"),
        ("[" * 20_000, "source", "exceeded maximum nesting depth"),
    ],
)
def test_faulty_rules_are_refused_with_the_place(version, cast, now, source, field, reason):
    before = snapshot()
    with pytest.raises(Invalid, match=reason) as caught:
        allocation.draft(source=source, by=cast.finance, now=now)
    assert caught.value.field == field
    assert snapshot() == before


def test_names_are_shown_even_where_there_are_none(cast, now):
    with pytest.raises(Invalid, match="Models: none yet"):
        allocation.draft(source=RULES, by=cast.finance, now=now)


def test_rules_are_proposed_by_one_and_published_by_another(version, cast, now):
    draft = allocation.draft(source=RULES, by=cast.finance, now=now)
    with pytest.raises(NotAllowed, match="may handle bills"):
        propose(version=draft, by=cast.author, now=now)
    own, before = propose(version=draft, by=cast.finance, now=now), snapshot()
    assert own.description == "Publish the allocation rules default v1"
    with pytest.raises(NotAllowed, match="You proposed this change; another person who handles bills must confirm it"):
        approvals.confirm(change=own, by=cast.finance, now=now)
    for step in (approvals.confirm, partial(approvals.refuse, reason=REASON)):
        with pytest.raises(NotAllowed, match="allocation rules"):
            step(change=own, by=cast.author, now=now)
    with pytest.raises(NotAllowed, match="may handle bills"):
        allocation.draft(source=RULES, by=cast.auditor, now=now)
    with pytest.raises(NotAllowed, match="Authors cannot publish their own allocation rules"):
        allocation.publish(version=draft, by=cast.finance, now=now)
    with pytest.raises(IntegrityError, match="published by two people"), transaction.atomic():
        allocation.publish(version=draft, by=cast.admin, now=now)
    assert snapshot() == before
    assert confirmers(own) == [cast.admin, cast.approver]
    approvals.confirm(change=own, by=cast.admin, now=now)
    draft.refresh_from_db()
    assert (draft.state, draft.published_by) == ("published", cast.admin)
    with pytest.raises(WrongState, match="only a draft"):
        propose(version=draft, by=cast.approver, now=now)


def test_nobody_confirms_rules_of_another_that_they_proposed(version, cast, now):
    change = propose(version=allocation.draft(source=RULES, by=cast.finance, now=now), by=cast.approver, now=now)
    before = snapshot()
    for person, reason in (
        (cast.approver, "You proposed this change"),
        (cast.finance, "You wrote the version that this change"),
    ):
        with pytest.raises(NotAllowed, match=reason):
            approvals.confirm(change=change, by=person, now=now)
    assert snapshot() == before
    assert confirmers(change) == [cast.admin]
    assert approvals.refuse(change=change, reason=REASON, by=cast.approver, now=now).state == "withdrawn"


def test_the_installation_itself_needs_no_second_person(version, now):
    draft = allocation.draft(source=RULES, by=None, now=now)
    assert allocation.publish(version=draft, by=None, now=now).published_by is None
    before = snapshot()
    with pytest.raises(WrongState, match="Version 1 is published; only a draft can be published"):
        allocation.publish(version=draft, by=None, now=now)
    assert snapshot() == before


def test_two_that_draft_at_once_are_told(version, cast, now, monkeypatch):
    def taken(self, *_, **__):
        raise IntegrityError

    monkeypatch.setattr(AllocationVersion, "save", taken)
    with pytest.raises(WrongState, match="Another person has just saved version 1"):
        allocation.draft(source=RULES, by=cast.finance, now=now)


def test_published_rules_never_change(version, cast, now):
    publish_rules(cast=cast, now=now)
    for change in (
        lambda: AllocationVersion.objects.update(source="x"),
        lambda: AllocationRule.objects.update(rule_id="x"),
        lambda: AllocationRule.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_a_version_is_found_by_its_number(version, cast, now):
    published = publish_rules(cast=cast, now=now)
    assert reads.find(number=1) == published
    assert reads.versions() == [published]
    with pytest.raises(NotFound, match="no version 2"):
        reads.find(number=2)


def test_a_rate_is_kept_and_never_changed(cast, now):
    row = rates.set_rate(rate=CurrencyRate("EUR", date(2026, 9, 30), Decimal("1.1"), " ECB "), by=cast.finance, now=now)
    assert (row.usd, row.source, str(row)) == (Decimal("1.1"), "ECB", "1 EUR = 1.1 USD on 2026-09-30")
    with pytest.raises(Invalid, match="must not be in the future") as caught:
        rates.set_rate(rate=CurrencyRate("EUR", date(9999, 1, 1), Decimal(1), "ECB"), by=cast.finance, now=now)
    assert caught.value.field == "on"
    with pytest.raises(NotAllowed):
        rates.set_rate(rate=CurrencyRate("EUR", date(2026, 9, 30), Decimal(1), "ECB"), by=cast.author, now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        ExchangeRate.objects.update(usd=2)
    assert ExchangeRate.objects.count() == 1


PATTERNS = st.lists(st.sampled_from(["a", "a*", "ab", "b*", "*", "%", "_*"]), max_size=2, unique=True).map(tuple)
FIELDS = st.sampled_from(["sku", "resource", "tags.m", "tags.0", "tags.a__b"])
VALUES = st.sampled_from(["", "a", "ab", "abc", "b", "%", "_x"])
LINE = st.fixed_dictionaries({"sku": VALUES, "resource": VALUES, "m": VALUES, "0": VALUES, "a__b": VALUES})


class DatabaseAgrees(TestCase):
    """The database takes the very lines that the pure rules take."""

    @settings(max_examples=30)
    @given(st.dictionaries(FIELDS, PATTERNS, min_size=1), st.lists(LINE, min_size=1, max_size=6))
    def test_as_the_rules_say(self, conditions, lines):
        rule = Rule("r", tuple(FieldPattern(*each) for each in conditions.items()), "search")
        moment = "2026-09-01T00:00:00Z"
        bill = Bill.objects.create(
            kind="focus", origin="api", name="b", digest="d", stored_as="s", created_at=moment, next_attempt_at=moment
        )
        of = {"provider": "p", "period": date(2026, 9, 1)}
        part = BillSlice.objects.create(
            bill=bill,
            billing_account="a",
            period_end=date(2026, 10, 1),
            rows=1,
            lines_count=1,
            gpu_hours=0,
            read_at=moment,
            **of,
        )
        SpendLine.open_partitions([date(2026, 9, 1)])
        wanted = set()
        for line in lines:
            tags = {name: line[name] for name in ("m", "0", "a__b") if line[name]}
            fields = {"sku": line["sku"], "resource": line["resource"]}
            made = SpendLine.objects.create(
                slice=part,
                day=date(2026, 9, 1),
                category="Usage",
                is_correction=False,
                currency="USD",
                rows=1,
                billed=0,
                effective=0,
                listed=0,
                gpu_hours=0,
                tags=tags,
                **fields,
                **of,
            )
            if takes(rule, fields, tags):
                wanted.add(made.pk)
        rows, (test,) = reads.taken_by([rule], among=SpendLine.objects.all())
        assert set(rows.filter(test).values_list("pk", flat=True)) == wanted
