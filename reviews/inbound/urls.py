"""Addresses of the pages of inbound."""

from django.urls import URLPattern, path

from reviews.inbound import web as inbound

urlpatterns: list[URLPattern] = [
    path("integrations/inbound/", inbound.numbers, name="inbound"),
]
