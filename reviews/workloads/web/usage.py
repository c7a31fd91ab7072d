"""The page of usage: what language models were used for in a month, and the upload of an export."""

import io
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import attempt, refusal_of
from reviews.requests.enums import ENVIRONMENTS
from reviews.workloads.actions import usage as actions
from reviews.workloads.queries import usage as queries
from reviews.workloads.rules import check_report_usage
from weighbridge.client.usage.exports import read_export
from weighbridge.client.usage.report import UsageReport, read_usage
from weighbridge.core.errors import TooLarge

LARGEST_BYTES = 64_000_000


class MonthForm(forms.Form):
    """The month that is shown; an invalid one is this month."""

    month = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}), label="A day of the month")


class UsageForm(forms.Form):
    """An export of a gateway."""

    gateway = forms.CharField(max_length=80, label="Gateway")
    environment = forms.ChoiceField(choices=ENVIRONMENTS)
    file = forms.FileField(
        label="Export", help_text="CSV by day and model, spend logs of LiteLLM, or usage pages of OpenAI."
    )


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/usage/`: the usage of a month by model, against the limits of its authorization."""
    return render(request, "reviews/workloads/usage.html", _context(request))


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Store the uploaded export."""
    check_report_usage(person_of(request))
    form = UsageForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "reviews/workloads/usage.html", _context(request) | {"form": form}, status=400)
    data = form.cleaned_data

    def act() -> str:
        file = data["file"]
        if file.size > LARGEST_BYTES:
            raise TooLarge(f"The file is larger than {LARGEST_BYTES // 1_000_000} MB; export fewer days.", field="file")
        stream = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        lines = read_export(stream, is_csv=file.name.lower().endswith(".csv"))
        found = UsageReport(gateway=data["gateway"], environment=data["environment"], lines=lines)
        report = read_usage(found.as_document())
        row = actions.store_usage(report=report, by=user_of(request), now=timezone.now())
        return f"1 line of {row} is stored." if len(lines) == 1 else f"{len(lines)} lines of {row} are stored."

    attempt(request, act)
    return redirect("reviews:usage")


def _context(request: HttpRequest) -> dict[str, Any]:
    person, today = person_of(request), timezone.now().date()
    filters = MonthForm(request.GET)
    chosen = filters.cleaned_data.get("month") if filters.is_valid() else None
    month = queries.month_of(chosen or today)
    return {
        "month": month,
        "filter": MonthForm({"month": chosen or today}),
        "clear": reverse("reviews:usage"),
        "is_filtered": month != queries.month_of(today),
        "rows": queries.views(month=month, person=person),
        "gateways": queries.gateways(person=person),
        "form": UsageForm(),
        "cannot_report": refusal_of(lambda: check_report_usage(person)),
        "crumbs": (("Models", reverse("governance:models")), ("Usage", "")),
    }
