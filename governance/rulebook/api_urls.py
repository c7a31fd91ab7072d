"""Addresses of the API of rulebook."""

from django.urls import URLPattern, path

from governance.rulebook.api import Policies, PolicyDetail, PolicyProposal, PolicyRetirement

urlpatterns: list[URLPattern] = [
    path("rulebook/policies/", Policies.as_view(), name="policies"),
    path("rulebook/policies/<slug:name>/<int:number>/", PolicyDetail.as_view(), name="policy"),
    path("rulebook/policies/<slug:name>/<int:number>/propose/", PolicyProposal.as_view(), name="policy-propose"),
    path("rulebook/policies/<slug:name>/<int:number>/retire/", PolicyRetirement.as_view(), name="policy-retire"),
]
