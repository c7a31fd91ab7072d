"""Addresses of the API of prices."""

from django.urls import URLPattern, path

from benchmarking.prices.api import Prices

urlpatterns: list[URLPattern] = [
    path("prices/", Prices.as_view(), name="prices"),
]
