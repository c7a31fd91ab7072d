"""Addresses of the reviews API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
