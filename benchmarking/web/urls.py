"""Addresses of the benchmarking pages."""

from django.urls import URLPattern

app_name = "benchmarking"
urlpatterns: list[URLPattern] = []
