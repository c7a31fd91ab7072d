"""What the benchmarking API answers: how data sets and runs are written as JSON."""

from rest_framework import serializers

from governance.api.reading import Answer, number


class DatasetAnswer(Answer):
    """Evaluation data, named by its content."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    digest = serializers.CharField()
    size_bytes = serializers.IntegerField()
    registered_by = serializers.CharField(source="registered_by.username")
    registered_at = serializers.DateTimeField()


class MeasuredAnswer(Answer):
    """A measured figure; bounds are null where too few samples allow none."""

    name = serializers.CharField()
    value = number()
    unit = serializers.CharField()
    lower = number(allow_null=True)
    upper = number(allow_null=True)
    confidence = number(allow_null=True)
    n = serializers.IntegerField(allow_null=True)


class RunDetailAnswer(Answer):
    """A benchmark run: how far it is, what it measured, and in which environment."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    asked_for = serializers.CharField(help_text="Reference of the request it was started for.")
    model = serializers.CharField()
    model_digest = serializers.CharField()
    dataset = serializers.CharField()
    scenario = serializers.CharField()
    state = serializers.CharField(help_text="queued, claimed, running, done, failed, paused, dead or cancelled.")
    is_finished = serializers.BooleanField()
    progress = serializers.FloatField(help_text="A share of one.")
    phase = serializers.CharField()
    queue_place = serializers.IntegerField(allow_null=True)
    attempts = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    error = serializers.CharField()
    verdict = serializers.CharField(help_text="valid, indicative or invalid; empty before it is done.")
    reasons = serializers.ListField(child=serializers.CharField())
    metrics = MeasuredAnswer(many=True)
    manifest = serializers.JSONField()
    isolation = serializers.CharField()
    result_digest = serializers.CharField()
    repeats = serializers.IntegerField(
        allow_null=True, help_text="The run it repeats with the settings of its manifest."
    )
    equivalence = serializers.JSONField(
        allow_null=True,
        help_text="Of a repeated run: answer (equivalent, different, cannot_tell), figures with the ratio's interval "
        "and p-value, reasons, and the differences of the environment.",
    )
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class SandboxAnswer(Answer):
    """What fences models in."""

    may_go_without = serializers.BooleanField(help_text="Whether files of requesters are measured without bubblewrap.")
    last_layers = serializers.ListField(
        child=serializers.CharField(), help_text="What the last results say fenced them in, each once."
    )


class PriceAnswer(Answer):
    """A price: exact dollars as text, with the day it was known to hold and its source."""

    sku = serializers.CharField(source="price.sku")
    term = serializers.CharField(source="price.term")
    meter = serializers.CharField(source="price.meter")
    usd = serializers.DecimalField(source="price.usd", max_digits=None, decimal_places=None)
    unit = serializers.CharField(source="price.unit")
    as_of = serializers.DateField(source="price.as_of")
    source = serializers.CharField(source="price.source")  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    origin = serializers.CharField(source="price.origin", help_text="list, negotiated or derived.")
    list_usd = serializers.DecimalField(
        source="price.list_price.usd", max_digits=None, decimal_places=None, default=None, allow_null=True
    )
    is_disputed = serializers.BooleanField(help_text="Whether another source puts it more than 1 % apart.")
    retires_on = serializers.DateField(source="retirement.on", default=None, allow_null=True)
    successor = serializers.CharField(source="retirement.successor", default="")


class ProjectionAnswer(Answer):
    """A kept cost projection: its link, the spec it was made from, and the document with every figure and price."""

    token = serializers.CharField()
    title = serializers.CharField()
    digest = serializers.CharField()
    kept_at = serializers.DateTimeField()
    spec = serializers.JSONField()
    document = serializers.JSONField()


class MoveAnswer(Answer):
    """The P50 of one figure of an option, before and after; `share` is how far it moved."""

    option = serializers.CharField()
    figure = serializers.CharField()
    unit = serializers.CharField()
    before = number(allow_null=True)
    after = number(allow_null=True)
    share = number(allow_null=True)


class PriceMoveAnswer(Answer):
    """One price then and now, each with its day; `ratio` is now over then."""

    what = serializers.CharField()
    unit = serializers.CharField()
    before = number()
    after = number()
    before_as_of = serializers.DateField()
    after_as_of = serializers.DateField()
    ratio = serializers.FloatField(allow_null=True)


class ReplayAnswer(Answer):
    """A kept projection set beside today's prices."""

    as_of = serializers.DateField()
    prices = PriceMoveAnswer(many=True)
    figures = MoveAnswer(many=True)
