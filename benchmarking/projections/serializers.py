"""JSON shapes of projections."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, Input, number


class ProjectionAnswer(Answer):
    """A kept cost projection: its link, the spec it was made from, and the document with every metric and price."""

    token = serializers.CharField()
    title = serializers.CharField()
    digest = serializers.CharField()
    kept_at = serializers.DateTimeField()
    spec = serializers.JSONField()
    document = serializers.JSONField()


class MoveAnswer(Answer):
    """The P50 of one metric of an option, before and after; `share` is how far it moved."""

    option = serializers.CharField()
    metric = serializers.CharField()
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
    metrics = MoveAnswer(many=True)


class CostInput(Input):
    """A cost spec (`kind: CostSpec`, as JSON); with `keep` the projection is kept and gets a link."""

    spec = serializers.DictField()
    keep = serializers.BooleanField(required=False)
