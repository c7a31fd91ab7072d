"""Addresses of the API of evidence."""

from django.urls import URLPattern, path

from reviews.evidence import api as backtests

urlpatterns: list[URLPattern] = [
    path(
        "rulebook/policies/<slug:name>/<int:number>/backtest/",
        backtests.PolicyBacktest.as_view(),
        name="policy-backtest",
    ),
]
