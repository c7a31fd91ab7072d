"""Addresses of the API of budgets."""

from django.urls import URLPattern, path

from governance.budgets.api.budgets import Budgets, CostCenters
from governance.site.api.shapes import AnyAccept

ACCOUNT = "budgets/<slug:team>/<slug:quarter>/<slug:unit>"

urlpatterns: list[URLPattern] = [
    path("budgets/", Budgets.as_view({"get": "listed", "post": "allocate"}), name="budgets"),
    path("cost-centers/", CostCenters.as_view({"get": "listed", "post": "open"}), name="budget-centers"),
    path("budgets/changes/", Budgets.as_view({"post": "propose_change"}), name="budget-changes"),
    path(f"{ACCOUNT}/terms/", Budgets.as_view({"post": "set_terms"}), name="account-terms"),
    path(
        f"{ACCOUNT}/ledger.<slug:kind>",
        Budgets.as_view({"get": "export"}, content_negotiation_class=AnyAccept),
        name="account-export",
    ),
]
