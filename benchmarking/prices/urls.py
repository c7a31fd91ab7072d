"""Addresses of the pages of prices."""

from django.urls import URLPattern, path

from benchmarking.prices import web as prices

urlpatterns: list[URLPattern] = [
    path("prices/", prices.index, name="prices"),
    path("prices/publish/", prices.publish, name="prices_publish"),
    path("prices/withdraw/", prices.withdraw, name="prices_withdraw"),
]
