"""Addresses of the search."""

from django.urls import URLPattern, path

from reviews.search import web

urlpatterns: list[URLPattern] = [
    path("search/", web.search, name="search"),
    path("search/suggestions/", web.suggestions, name="suggestions"),
]
