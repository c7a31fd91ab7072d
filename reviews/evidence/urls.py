"""Addresses of the pages of evidence."""

from django.urls import URLPattern, path

from reviews.evidence import web as backtest

urlpatterns: list[URLPattern] = [
    path("backtest/<slug:name>/<int:number>/", backtest.page, name="backtest"),
    path("backtest/<slug:name>/<int:number>/requests.<slug:kind>", backtest.exported, name="backtest_export"),
]
