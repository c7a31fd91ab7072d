"""Addresses of the API of findings."""

from django.urls import URLPattern, path

from governance.findings.api import FindingClosing, Findings

urlpatterns: list[URLPattern] = [
    path("findings/", Findings.as_view(), name="findings"),
    path("findings/<int:finding_id>/close/", FindingClosing.as_view(), name="finding-close"),
]
