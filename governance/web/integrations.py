"""The page of integrations: what waits, what failed, and how to set it going."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def listed(request: HttpRequest) -> HttpResponse:
    """The page of integrations: what waits, what failed, and how to set it going."""
    return render(request, "base.html")


def check(request: HttpRequest) -> HttpResponse:
    """The page of integrations: what waits, what failed, and how to set it going."""
    return render(request, "base.html")


def resume(request: HttpRequest) -> HttpResponse:
    """The page of integrations: what waits, what failed, and how to set it going."""
    return render(request, "base.html")


def retry(request: HttpRequest, message_id: int) -> HttpResponse:
    """The page of integrations: what waits, what failed, and how to set it going."""
    return render(request, "base.html")
