"""Addresses of the API of notes."""

from django.urls import URLPattern, path

from reviews.notes import api

urlpatterns: list[URLPattern] = [
    path("requests/<slug:ref>/looks/", api.RequestLooks.as_view(), name="looks"),
    path("requests/<slug:ref>/votes/draft/", api.DraftVotes.as_view(), name="draft-vote"),
    path("requests/<slug:ref>/viewed/", api.ViewedParts.as_view(), name="viewed"),
]
