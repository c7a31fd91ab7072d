"""Addresses of the pages of rulebook."""

from django.urls import URLPattern, path

from governance.rulebook.web import policies, policy_form

urlpatterns: list[URLPattern] = [
    path("policy/", policies.listed, name="policies"),
    path("policy/<slug:kind>/new/", policies.draft, name="policy_draft"),
    path("policy/<slug:kind>/<slug:name>/diff/", policies.difference, name="policy_diff"),
    path("policy/policies/<slug:name>/<int:number>/form/", policy_form.edit, name="policy_form"),
    path("policy/<slug:kind>/<slug:name>/<int:number>/", policies.detail, name="policy"),
    path("policy/<slug:kind>/<slug:name>/<int:number>/propose/", policies.propose, name="policy_propose"),
]
