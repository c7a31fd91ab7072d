"""How bills, allocation rules and spend are written as JSON."""

from typing import Any

from rest_framework import serializers

from governance.bills.domain.allocation.breakdown import BreakdownRow, CurrencyTotal
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.queries.allocation import Preview
from governance.rulebook.queries.rulebook import VersionRow
from governance.site.api.shapes import Answer, answer_of, number


class BillAnswer(Answer):
    """A bill; its report is there once it is read."""

    id = serializers.IntegerField()
    ref = serializers.CharField(source="__str__")
    kind = serializers.CharField()
    origin = serializers.CharField(help_text="upload, folder, command or api.")
    name = serializers.CharField()
    digest = serializers.CharField()
    size_bytes = serializers.IntegerField()
    cluster = serializers.CharField()
    refuses_existing = serializers.BooleanField()
    state = serializers.CharField(help_text="queued, claimed, running, done, failed, dead or canceled.")
    progress = serializers.FloatField(help_text="A share from 0 to 1.")
    phase = serializers.CharField()
    error = serializers.CharField()
    report = serializers.JSONField(
        allow_null=True, help_text="Rows read, kept and refused with reasons and examples; totals by slice; notes."
    )
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


RateAnswer = answer_of(CurrencyRate, "RateAnswer", set_at=serializers.DateTimeField())


def _version(name: str, **more: Any) -> type[Answer]:
    return answer_of(
        VersionRow,
        name,
        without=["name"],
        helps={"state": "draft, published or retired."},
        written_by=serializers.CharField(source="written_by.username", default=None, allow_null=True),
        published_by=serializers.CharField(source="published_by.username", default=None, allow_null=True),
        **more,
    )


AllocationVersionAnswer = _version("AllocationVersionAnswer")
AllocationDetailAnswer = _version(
    "AllocationDetailAnswer", source=serializers.CharField(help_text="The YAML as it was written.")
)
PreviewAnswer = answer_of(Preview)


class SpendAnswer(Answer):
    """What a team's model cost in a month; `team` is empty for what belongs to nobody."""

    month = serializers.DateField()
    team = serializers.CharField()
    model = serializers.CharField()
    effective_usd = number(source="effective")
    billed_usd = number(source="billed")
    gpu_hours = number()
    not_converted = serializers.DictField(child=number(), source="apart", help_text="Effective cost without a rate.")
    is_generated = serializers.BooleanField(help_text="Whether a part of it is generated, and no bill of any provider.")


CurrencyTotalAnswer = answer_of(CurrencyTotal, properties=["unallocated"])


class OwnerAnswer(Answer):
    """A team and the cost that rules allocate to it."""

    team = serializers.CharField(help_text="Its name.")
    cost = number()


BreakdownRowAnswer = answer_of(
    BreakdownRow,
    properties=["unallocated"],
    helps={
        "value": "What the lines have in common; empty if they have no such value.",
        "name": "The value as a person reads it: the name of a team.",
    },
    share=number(decimal_places=6, allow_null=True, help_text="Of the total; null if the total is zero or less."),
    owners=OwnerAnswer(many=True, help_text="Teams by name, the highest cost first; empty by team and by tags."),
)


class BillLineAnswer(Answer):
    """A line of a bill; `team` and `rule` are null if no rule takes it."""

    day = serializers.DateField()
    provider = serializers.CharField()
    service = serializers.CharField()
    sku = serializers.CharField()
    subaccount = serializers.CharField()
    resource = serializers.CharField()
    region = serializers.CharField()
    category = serializers.CharField()
    is_correction = serializers.BooleanField()
    model = serializers.CharField(help_text="As billed.")
    meter = serializers.CharField()
    tags = serializers.DictField(child=serializers.CharField())
    currency = serializers.CharField()
    effective = number()
    billed = number()
    gpu_hours = number()
    rows = serializers.IntegerField(help_text="Rows of the bill that it sums up.")
    team = serializers.CharField(source="rule.team.slug", default=None, allow_null=True)
    rule = serializers.CharField(source="rule.rule_id", default=None, allow_null=True)


class BreakdownAnswer(Answer):
    """A page of the breakdown of a bill. `rows` and `rest` add up to `total`, except by tags."""

    by = serializers.CharField()
    page = serializers.IntegerField()
    next_page = serializers.IntegerField(allow_null=True)
    totals = CurrencyTotalAnswer(many=True, help_text="The selected lines in each currency.")
    total = CurrencyTotalAnswer(allow_null=True, help_text="In the currency of this page; null without any line.")
    rows = BreakdownRowAnswer(many=True, help_text="The highest amounts first; empty by lines.")
    rest = BreakdownRowAnswer(allow_null=True, help_text="What is on other pages; null by tags and by lines.")
    lines = BillLineAnswer(many=True, help_text="By lines alone.")
