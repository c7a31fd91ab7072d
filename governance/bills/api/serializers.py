"""How bills, allocation rules and spend are written as JSON."""

from typing import Any

from rest_framework import serializers

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
