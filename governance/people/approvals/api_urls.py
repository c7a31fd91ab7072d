"""Addresses of the API of approvals."""

from django.urls import URLPattern, path

from governance.people.approvals.api import ChangeConfirmation, ChangeDetail, ChangeRefusal, Changes

urlpatterns: list[URLPattern] = [
    path("changes/", Changes.as_view(), name="changes"),
    path("changes/<int:change_id>/", ChangeDetail.as_view(), name="change"),
    path("changes/<int:change_id>/confirm/", ChangeConfirmation.as_view(), name="change-confirm"),
    path("changes/<int:change_id>/refuse/", ChangeRefusal.as_view(), name="change-refuse"),
]
