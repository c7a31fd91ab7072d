"""JSON shapes of findings."""

from rest_framework import serializers

from governance.findings.enums import FindingState
from governance.site.api.shapes import Answer, Input, choice


class FindingAnswer(Answer):
    """What the system noticed and somebody must look into."""

    id = serializers.IntegerField()
    ref = serializers.CharField(source="__str__")
    kind = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField()
    severity = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    state = serializers.CharField(help_text="open or closed.")
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True)
    due_on = serializers.DateField(allow_null=True)
    opened_at = serializers.DateTimeField()
    closed_by = serializers.CharField(source="closed_by.username", default=None, allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closing_note = serializers.CharField()


class FindingFilters(Input):
    """What the list of findings can be narrowed to."""

    page = serializers.IntegerField(required=False, min_value=1)
    state = choice(FindingState.values, required=False)
    kind = serializers.CharField(required=False, max_length=40, help_text="How the kind begins, for example budget.")


class ClosingInput(Input):
    """What was done about a finding."""

    note = serializers.CharField(min_length=3, max_length=2000)
