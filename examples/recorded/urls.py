"""The addresses of `make try`: those of the application, and the tour."""

from django.urls import path

from config.urls import handler500
from config.urls import urlpatterns as application
from examples.recorded.web import tour

__all__ = ["handler500", "urlpatterns"]

urlpatterns = [path("tour/", tour, name="tour"), *application]
