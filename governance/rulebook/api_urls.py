"""Addresses of the API of rulebook."""

from django.urls import URLPattern, path

from governance.rulebook.api import Policies, PolicyDetail, PolicyProposal

urlpatterns: list[URLPattern] = [
    path("policies/", Policies.as_view(), name="policies"),
    path("policies/<slug:name>/<int:number>/", PolicyDetail.as_view(), name="policy"),
    path("policies/<slug:name>/<int:number>/propose/", PolicyProposal.as_view(), name="policy-propose"),
]
