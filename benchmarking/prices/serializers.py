"""JSON shapes of prices."""

from rest_framework import serializers

from governance.site.api.shapes import Answer, Input


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


class PriceFilters(Input):
    """A page of the price book."""

    q = serializers.CharField(required=False, max_length=200)
    on = serializers.DateField(required=False)
    page = serializers.IntegerField(required=False, min_value=1)
