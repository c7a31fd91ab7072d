"""Addresses of the API of budgets."""

from django.urls import URLPattern, path

from governance.budgets.api.budget_changes import BudgetChanges
from governance.budgets.api.budgets import Budgets, Centers, LedgerExport, Terms

urlpatterns: list[URLPattern] = [
    path("budgets/", Budgets.as_view(), name="budgets"),
    path("cost-centers/", Centers.as_view(), name="budget-centers"),
    path("budgets/changes/", BudgetChanges.as_view(), name="budget-changes"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/terms/", Terms.as_view(), name="account-terms"),
    path(
        "budgets/<slug:team>/<slug:quarter>/<slug:unit>/ledger.<slug:kind>",
        LedgerExport.as_view(),
        name="account-export",
    ),
]
