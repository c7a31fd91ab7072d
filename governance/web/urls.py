"""The addresses of the ground floor's pages."""

from django.urls import path

from governance.web.styleguide import styleguide

app_name = "governance"
urlpatterns = [
    path("styleguide/", styleguide, name="styleguide"),
]
