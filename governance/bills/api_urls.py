"""Addresses of the API of bills."""

from django.urls import URLPattern, path
from rest_framework.parsers import MultiPartParser

from governance.bills.api.bill_spend import BillSpend
from governance.bills.api.bills import AllocationRules, Bills, Rates, Spend
from governance.site.api.shapes import AnyAccept

urlpatterns: list[URLPattern] = [
    path("bills/", Bills.as_view({"get": "listed", "post": "send"}, parser_classes=[MultiPartParser]), name="bills"),
    path("bills/<int:bill_id>/", Bills.as_view({"get": "retrieve"}), name="bill"),
    path("bills/<int:bill_id>/cancel/", Bills.as_view({"post": "cancel"}), name="bill-cancel"),
    path("bills/<int:bill_id>/retry/", Bills.as_view({"post": "retry"}), name="bill-retry"),
    path("bills/<int:bill_id>/spend/", BillSpend.as_view({"get": "listed"}), name="bill-spend"),
    path(
        "bills/<int:bill_id>/spend.<slug:kind>",
        BillSpend.as_view({"get": "export"}, content_negotiation_class=AnyAccept),
        name="bill-spend-export",
    ),
    path("exchange-rates/", Rates.as_view({"get": "listed", "post": "set_rate"}), name="rates"),
    path("allocation-rules/", AllocationRules.as_view({"get": "listed", "post": "draft"}), name="allocation"),
    path("allocation-rules/preview/", AllocationRules.as_view({"post": "preview"}), name="allocation-try"),
    path("allocation-rules/<int:number>/", AllocationRules.as_view({"get": "retrieve"}), name="allocation-version"),
    path(
        "allocation-rules/<int:number>/propose/",
        AllocationRules.as_view({"post": "propose"}),
        name="allocation-propose",
    ),
    path("spend/", Spend.as_view({"get": "listed"}), name="spend"),
    path(
        "spend.<slug:kind>", Spend.as_view({"get": "export"}, content_negotiation_class=AnyAccept), name="spend-export"
    ),
]
