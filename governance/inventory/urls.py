"""Addresses of the pages of inventory."""

from django.urls import URLPattern, path

from governance.inventory import web as models

urlpatterns: list[URLPattern] = [
    path("models.<slug:kind>", models.exported, name="models_export"),
    path("models/", models.listed, name="models"),
    path("models/<slug:team>/<slug:slug>/", models.detail, name="model"),
]
