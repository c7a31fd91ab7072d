"""Pages of the model inventory."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def listed(request: HttpRequest) -> HttpResponse:
    """Pages of the model inventory."""
    return render(request, "base.html")


def detail(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """Pages of the model inventory."""
    return render(request, "base.html")
