"""Addresses of the pages of site."""

from django.urls import URLPattern, path

from governance.site.web.styleguide import styleguide

urlpatterns: list[URLPattern] = [path("styleguide/", styleguide, name="styleguide")]
