"""What the benchmarking API takes."""

from rest_framework import serializers

from benchmarking.runs.models import REASON_CHARS_MAX
from governance.site.api.shapes import Input


class DatasetInput(Input):
    """Evaluation data."""

    name = serializers.CharField(max_length=120)
    file = serializers.FileField(max_length=160, help_text="An .npz file with arrays x (inputs) and y (labels).")


class DatasetFilters(Input):
    """A page of the list."""

    page = serializers.IntegerField(required=False, min_value=1)


class SandboxInput(Input):
    """Whether files of requesters may be measured without bubblewrap, and why."""

    may_go_without = serializers.BooleanField()
    reason = serializers.CharField(max_length=REASON_CHARS_MAX)
