"""How bills, allocation rules and spend are written as JSON."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, number


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


class RateAnswer(Answer):
    """An exchange rate."""

    currency = serializers.CharField()
    on = serializers.DateField()
    usd = number()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    set_at = serializers.DateTimeField()


class AllocationVersionAnswer(Answer):
    """A version of the allocation rules."""

    number = serializers.IntegerField()
    state = serializers.CharField(help_text="draft, published or retired.")
    digest = serializers.CharField()
    written_by = serializers.CharField(source="written_by.username", default=None, allow_null=True)
    written_at = serializers.DateTimeField()
    published_by = serializers.CharField(source="published_by.username", default=None, allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)


class AllocationDetailAnswer(AllocationVersionAnswer):
    """A version with its source."""

    source = serializers.CharField(help_text="The YAML as it was written.")  # type: ignore[assignment]  # a field of that name, not DRF's attribute


class TakenAnswer(Answer):
    """What a rule takes; `rule` is empty for what no rule takes."""

    rule = serializers.CharField()
    account = serializers.CharField()
    model = serializers.CharField()
    lines = serializers.IntegerField()
    costs = serializers.DictField(child=number(), help_text="Effective cost by currency.")
    gpu_hours = number()


class RestAnswer(Answer):
    """Lines that no rule takes, of one kind."""

    provider = serializers.CharField()
    subaccount = serializers.CharField()
    service = serializers.CharField()
    currency = serializers.CharField()
    lines = serializers.IntegerField()
    cost = number()


class PreviewAnswer(Answer):
    """What rules would do to the bills of a month."""

    month = serializers.DateField()
    rules = TakenAnswer(many=True)
    rest = TakenAnswer()
    dearest = RestAnswer(many=True)


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
