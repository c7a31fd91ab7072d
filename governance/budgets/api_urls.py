"""Addresses of the API of budgets."""

from django.urls import URLPattern, path

from governance.budgets.api.budget_changes import (
    BudgetChangeConfirmation,
    BudgetChangeDetail,
    BudgetChangeRefusal,
    BudgetChanges,
)
from governance.budgets.api.budgets import Budgets, Centres, LedgerExport, Terms

urlpatterns: list[URLPattern] = [
    path("budgets/", Budgets.as_view(), name="budgets"),
    path("budgets/centres/", Centres.as_view(), name="budget-centres"),
    path("budgets/changes/", BudgetChanges.as_view(), name="budget-changes"),
    path("budgets/changes/<int:change_id>/", BudgetChangeDetail.as_view(), name="budget-change"),
    path("budgets/changes/<int:change_id>/confirm/", BudgetChangeConfirmation.as_view(), name="budget-change-confirm"),
    path("budgets/changes/<int:change_id>/refuse/", BudgetChangeRefusal.as_view(), name="budget-change-refuse"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/terms/", Terms.as_view(), name="account-terms"),
    path(
        "budgets/<slug:team>/<slug:quarter>/<slug:unit>/ledger.<slug:kind>",
        LedgerExport.as_view(),
        name="account-export",
    ),
]
