"""What the benchmarking API takes."""

from rest_framework import serializers

from benchmarking.models.sandbox import REASON_CHARS_MAX
from governance.api.reading import Input


class DatasetInput(Input):
    """Evaluation data."""

    name = serializers.CharField(max_length=120)
    file = serializers.FileField(max_length=160, help_text="An .npz file with arrays x (inputs) and y (labels).")


class DatasetFilters(Input):
    """A page of the list."""

    page = serializers.IntegerField(required=False, min_value=1)


class Nothing(Input):
    """A call that takes no fields."""


class SandboxInput(Input):
    """Whether files of requesters may be measured without bubblewrap, and why."""

    may_go_without = serializers.BooleanField()
    reason = serializers.CharField(max_length=REASON_CHARS_MAX)


class PriceFilters(Input):
    """A page of the price book."""

    q = serializers.CharField(required=False, max_length=200)
    on = serializers.DateField(required=False)
    page = serializers.IntegerField(required=False, min_value=1)


class CostInput(Input):
    """A cost spec (`kind: CostSpec`, as JSON); with `keep` the projection is kept and gets a link."""

    spec = serializers.DictField()
    keep = serializers.BooleanField(required=False)
