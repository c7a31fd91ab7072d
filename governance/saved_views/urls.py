"""Addresses of the pages of saved views."""

from django.urls import URLPattern, path

from governance.saved_views import web

urlpatterns: list[URLPattern] = [
    path("saved-views/", web.listed, name="saved_views"),
    path("saved-views/<int:view_id>/remove/", web.remove, name="saved_view_remove"),
]
