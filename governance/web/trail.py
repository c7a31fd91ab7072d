"""The page of the audit trail."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def listed(request: HttpRequest) -> HttpResponse:
    """The page of the audit trail."""
    return render(request, "base.html")


def chain(request: HttpRequest) -> HttpResponse:
    """The page of the audit trail."""
    return render(request, "base.html")
