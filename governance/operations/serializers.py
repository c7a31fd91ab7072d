"""JSON shapes of operations."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, ListInput


class EventAnswer(Answer):
    """An event of the audit trail; `hash` covers it and `previous_hash`."""

    position = serializers.IntegerField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()
    actor_id = serializers.CharField()
    actor = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name, not DRF's attribute
    subject_type = serializers.CharField()
    subject = serializers.CharField()
    details = serializers.JSONField()
    reason = serializers.CharField()
    request_id = serializers.CharField()
    previous_hash = serializers.CharField()
    hash = serializers.CharField()


class KeyAnswer(Answer):
    """The public key of this installation."""

    algorithm = serializers.CharField()
    public_key_pem = serializers.CharField()


class TrailFilters(ListInput):
    """What the audit trail can be narrowed to."""

    subject_type = serializers.CharField(required=False, max_length=40, help_text="For example request, model, role.")
    kind = serializers.CharField(required=False, max_length=60, help_text="How the kind begins, for example vote.")
