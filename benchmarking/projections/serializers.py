"""JSON shapes of projections."""

from rest_framework import serializers

from benchmarking.projections.domain.projection_table import Move
from governance.site.api.shapes import Answer, Input, answer_of, number


class ProjectionAnswer(Answer):
    """A kept cost projection: its link, the spec it was made from, and the document with every metric and price."""

    token = serializers.CharField()
    title = serializers.CharField()
    digest = serializers.CharField()
    kept_at = serializers.DateTimeField()
    spec = serializers.JSONField()
    document = serializers.JSONField()


MoveAnswer = answer_of(Move, without=["label"])


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
