"""Addresses of the benchmarking API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
