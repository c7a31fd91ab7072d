"""Addresses of the pages of rulebook."""

from django.urls import URLPattern, path

from governance.rulebook.web import policies, policy_form

urlpatterns: list[URLPattern] = [
    path("rulebook/", policies.listed, name="policies"),
    path("rulebook/<slug:kind>/new/", policies.draft, name="policy_draft"),
    path("rulebook/<slug:kind>/<slug:name>/diff/", policies.difference, name="policy_diff"),
    path("rulebook/policies/<slug:name>/<int:number>/form/", policy_form.edit, name="policy_form"),
    path("rulebook/policies/<slug:name>/<int:number>/retire/", policies.retire, name="policy_retire"),
    path("rulebook/<slug:kind>/<slug:name>/<int:number>/", policies.detail, name="policy"),
    path("rulebook/<slug:kind>/<slug:name>/<int:number>/propose/", policies.propose, name="policy_propose"),
]
