"""Addresses of the pages of approvals."""

from django.urls import URLPattern, path

from governance.people.approvals import web as changes

urlpatterns: list[URLPattern] = [
    path("changes/", changes.listed, name="changes"),
    path("changes/<int:change_id>/", changes.detail, name="change"),
    path("changes/<int:change_id>/confirm/", changes.confirm, name="change_confirm"),
    path("changes/<int:change_id>/refuse/", changes.refuse, name="change_refuse"),
]
