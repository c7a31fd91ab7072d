"""Addresses of the governance API."""

from django.urls import URLPattern, path

from governance.api import schema
from governance.api.budgets import Budgets, LedgerExport
from governance.api.inventory import Models
from governance.api.keys import PublicKey
from governance.api.rulebook import Policies, PolicyDetail, PolicyPublication
from governance.api.trail import Trail, TrailExport

__all__ = ["schema", "urlpatterns"]

urlpatterns: list[URLPattern] = [
    path("models/", Models.as_view(), name="models"),
    path("policies/", Policies.as_view(), name="policies"),
    path("policies/<slug:name>/<int:number>/", PolicyDetail.as_view(), name="policy"),
    path("policies/<slug:name>/<int:number>/publish/", PolicyPublication.as_view(), name="policy-publish"),
    path("budgets/", Budgets.as_view(), name="budgets"),
    path(
        "budgets/<slug:team>/<slug:quarter>/<slug:unit>/ledger.<slug:kind>",
        LedgerExport.as_view(),
        name="account-export",
    ),
    path("audit.<slug:kind>", TrailExport.as_view(), name="audit-export"),
    path("audit/", Trail.as_view(), name="audit"),
    path("keys/", PublicKey.as_view(), name="keys"),
]
