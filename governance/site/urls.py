"""Addresses of the pages of site."""

from django.urls import URLPattern, path

from governance.site.web.help import glossary, help_page
from governance.site.web.styleguide import styleguide
from governance.site.web.undo import undo

urlpatterns: list[URLPattern] = [
    path("styleguide/", styleguide, name="styleguide"),
    path("help/", help_page, name="help"),
    path("help/glossary/", glossary, name="glossary"),
    path("undo/", undo, name="undo"),
]
