"""The pages of help."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from governance.site.domain.glossary import sections


def help_page(request: HttpRequest) -> HttpResponse:
    """`/help/`: where a newcomer finds what."""
    return render(request, "governance/site/help.html")


def glossary(request: HttpRequest) -> HttpResponse:
    """`/help/glossary/`: every term with its meaning; `?` beside a term leads to it."""
    return render(request, "governance/site/glossary.html", {"sections": sections()})
