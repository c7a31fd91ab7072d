"""Addresses of the governance API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
