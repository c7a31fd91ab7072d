"""Addresses of the pages of budgets."""

from django.urls import URLPattern, path

from governance.budgets.web import budget_changes, budgets

urlpatterns: list[URLPattern] = [
    path("budgets/", budgets.listed, name="budgets"),
    path("budgets/centres/", budgets.open_centre, name="budget_centre"),
    path("budgets/changes/", budget_changes.listed, name="budget_changes"),
    path("budgets/changes/<int:change_id>/", budget_changes.detail, name="budget_change"),
    path("budgets/changes/<int:change_id>/confirm/", budget_changes.confirm, name="budget_change_confirm"),
    path("budgets/changes/<int:change_id>/refuse/", budget_changes.refuse, name="budget_change_refuse"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/", budgets.account, name="account"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/terms/", budgets.terms, name="account_terms"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/place/", budgets.place, name="account_place"),
    path(
        "budgets/<slug:team>/<slug:quarter>/<slug:unit>/change/", budget_changes.propose, name="budget_change_propose"
    ),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/ledger.<slug:kind>", budgets.exported, name="account_export"),
]
