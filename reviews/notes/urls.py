"""Addresses of the pages of notes."""

from django.urls import URLPattern, path

from reviews.notes import web

urlpatterns: list[URLPattern] = [
    path("requests/<str:ref>/looks/", web.look, name="look"),
    path("requests/<str:ref>/votes/draft/", web.draft_vote, name="draft_vote"),
    path("requests/<str:ref>/viewed/", web.viewed, name="viewed"),
]
