"""Addresses of the pages of budgets."""

from django.urls import URLPattern, path

from governance.budgets.web import budgets

urlpatterns: list[URLPattern] = [
    path("budgets/", budgets.listed, name="budgets"),
    path("cost-centers/", budgets.open_center, name="budget_center"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/", budgets.account, name="account"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/terms/", budgets.terms, name="account_terms"),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/parent/", budgets.place, name="account_place"),
    path(
        "budgets/<slug:team>/<slug:quarter>/<slug:unit>/changes/", budgets.propose_change, name="budget_change_propose"
    ),
    path("budgets/<slug:team>/<slug:quarter>/<slug:unit>/ledger.<slug:kind>", budgets.exported, name="account_export"),
]
