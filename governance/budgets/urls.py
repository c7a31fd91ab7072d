"""Addresses of the pages of budgets."""

from django.urls import URLPattern, path

from governance.budgets.web import budget_tree, budgets

ACCOUNT = "budgets/<slug:team>/<slug:quarter>/<slug:unit>"

urlpatterns: list[URLPattern] = [
    path("budgets/", budgets.listed, name="budgets"),
    path("budgets.<slug:kind>", budget_tree.exported, name="budgets_export"),
    path("cost-centers/", budgets.open_center, name="budget_center"),
    path(f"{ACCOUNT}/", budgets.account, name="account"),
    path(f"{ACCOUNT}/terms/", budgets.terms, name="account_terms"),
    path(f"{ACCOUNT}/parent/", budgets.place, name="account_place"),
    path(f"{ACCOUNT}/changes/", budgets.propose_change, name="budget_change_propose"),
    path(f"{ACCOUNT}/ledger.<slug:kind>", budgets.exported, name="account_export"),
]
