"""Pages of the rulebook."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def listed(request: HttpRequest) -> HttpResponse:
    """Pages of the rulebook."""
    return render(request, "base.html")


def draft(request: HttpRequest, kind: str) -> HttpResponse:
    """Pages of the rulebook."""
    return render(request, "base.html")


def difference(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """Pages of the rulebook."""
    return render(request, "base.html")


def detail(request: HttpRequest, kind: str, name: str, number: int) -> HttpResponse:
    """Pages of the rulebook."""
    return render(request, "base.html")


def publish(request: HttpRequest, kind: str, name: str, number: int) -> HttpResponse:
    """Pages of the rulebook."""
    return render(request, "base.html")
