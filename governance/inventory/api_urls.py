"""Addresses of the API of inventory."""

from django.urls import URLPattern, path

from governance.inventory.api import Models

urlpatterns: list[URLPattern] = [path("models/", Models.as_view(), name="models")]
