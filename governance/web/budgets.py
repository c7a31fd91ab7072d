"""Pages of budgets: accounts, allocations, the ledger."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def listed(request: HttpRequest) -> HttpResponse:
    """Pages of budgets: accounts, allocations, the ledger."""
    return render(request, "base.html")


def account(request: HttpRequest, team: str, quarter: str, unit: str) -> HttpResponse:
    """Pages of budgets: accounts, allocations, the ledger."""
    return render(request, "base.html")
