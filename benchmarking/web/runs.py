"""Pages of benchmark runs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def detail(request: HttpRequest, run_id: int) -> HttpResponse:
    """Pages of benchmark runs."""
    return render(request, "base.html")


def live(request: HttpRequest, run_id: int) -> HttpResponse:
    """Pages of benchmark runs."""
    return render(request, "base.html")


def result(request: HttpRequest, run_id: int) -> HttpResponse:
    """Pages of benchmark runs."""
    return render(request, "base.html")


def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    """Pages of benchmark runs."""
    return render(request, "base.html")


def repeat(request: HttpRequest, run_id: int) -> HttpResponse:
    """Pages of benchmark runs."""
    return render(request, "base.html")


def of_model(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """Pages of benchmark runs."""
    return render(request, "base.html")
