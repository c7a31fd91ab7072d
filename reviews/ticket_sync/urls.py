"""Addresses of the pages of the ticket synchronization."""

from django.urls import URLPattern, path

from reviews.ticket_sync import web as inbound

urlpatterns: list[URLPattern] = [
    path("integrations/inbound/", inbound.numbers, name="inbound"),
]
