"""Addresses of the pages of evidence."""

from django.urls import URLPattern, path

from reviews.evidence import web as backtest

urlpatterns: list[URLPattern] = [
    path("rulebook/policies/<slug:name>/<int:number>/backtest/", backtest.page, name="backtest"),
    path("rulebook/policies/<slug:name>/<int:number>/backtest/start/", backtest.start, name="start_backtest"),
    path(
        "rulebook/policies/<slug:name>/<int:number>/backtest/requests.<slug:kind>",
        backtest.export_backtest,
        name="backtest_export",
    ),
]
