"""Addresses of the API of saved views."""

from django.urls import URLPattern, path

from governance.saved_views.api import SavedViewRemoval, SavedViews

urlpatterns: list[URLPattern] = [
    path("saved-views/", SavedViews.as_view(), name="saved-views"),
    path("saved-views/<int:view_id>/remove/", SavedViewRemoval.as_view(), name="saved-view-remove"),
]
