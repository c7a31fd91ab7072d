"""The page of what runs and nobody approved: workloads of clusters, and billed GPUs."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.bills.rules import may_see_bills
from governance.budgets.domain.quarters import Quarter
from governance.exports.web import export
from governance.people.domain.roles import Person, Role
from governance.people.web.current_user import person_of, user_of
from governance.site.queries import bounded_page
from governance.site.web.refusals import refusals_shown
from reviews.workloads.actions import reports as writes
from reviews.workloads.queries import billed, workloads
from reviews.workloads.queries.workloads import WorkloadSelection, WorkloadView
from reviews.workloads.rules import check_remove_cluster, may_remove_cluster
from reviews.workloads.web.filing_links import file_gpus, file_workload, registered_versions
from reviews.workloads.web.workload_forms import ClusterRemovalForm, WorkloadFilterForm
from weighbridge.core.errors import Invalid

PAGE_SIZE, BILLED_MAX = 50, 50
BADGES = {"denied": "not_approved", "unknown": "unfiled"}


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/workloads/`: what runs and nobody approved, with the reports of clusters and billed GPUs."""
    person, now = person_of(request), timezone.now()
    reports = workloads.clusters(person=person, now=now)
    form = _form(request, person, [row.cluster for row in reports])
    several = workloads.selected(person=person, filters=form.filters, now=now)
    page = bounded_page(several, size=PAGE_SIZE, number=request.GET.get("page"))
    rows = workloads.views(list(page.object_list), person=person, now=now)
    gpus = billed.billed(person=person, quarter=Quarter.of(now))
    may_remove, may_file = may_remove_cluster(person), person.has_role(Role.REQUESTER)
    registered = registered_versions(rows, person=person) if may_file else {}
    context = {
        "form": form,
        "page": page,
        "rows": [_shown(row, registered, may_file=may_file) for row in rows],
        "is_filtered": form.filters != WorkloadSelection(),
        "clear": reverse("reviews:workloads"),
        "reports": [{"row": row, "remove": ClusterRemovalForm.of(row) if may_remove else None} for row in reports],
        "gpus": [_shown_gpus(row, may_file=may_file) for row in gpus[:BILLED_MAX]],
        "gpus_count": len(gpus),
        "quarter": Quarter.of(now),
        "sees_bills": may_see_bills(person),
        "crumbs": (("Models", reverse("governance:models")), ("What runs", "")),
    }
    return render(request, "reviews/workloads/workloads.html", context)


@require_safe
def export_workloads(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/workloads.csv` and `/workloads.xlsx`: all pages of the filtered list."""
    person, now = person_of(request), timezone.now()
    names = [row.cluster for row in workloads.clusters(person=person, now=now)]
    filters = _form(request, person, names).filters
    return export(workloads.table(person=person, filters=filters, now=now), kind=kind)


@require_safe
def export_billed(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/workloads/billed.csv` and `.xlsx`: the billed GPUs of the current quarter that nobody asked for."""
    quarter = Quarter.of(timezone.now())
    return export(billed.table(billed.billed(person=person_of(request), quarter=quarter)), kind=kind)


@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Remove a cluster that is gone."""
    person = person_of(request)
    check_remove_cluster(person)
    form = ClusterRemovalForm(request.POST)
    with refusals_shown(request):
        if not form.is_valid():
            raise Invalid("Enter why the cluster is removed.", field="reason")
        data = form.cleaned_data
        row = workloads.find_cluster(cluster=data["cluster"], environment=data["environment"], person=person)
        writes.remove_cluster(report=row, reason=data["reason"], by=user_of(request), now=timezone.now())
        messages.success(request, f"{row} is removed.")
    return redirect("reviews:workloads")


def _form(request: HttpRequest, person: Person, clusters: Sequence[str]) -> WorkloadFilterForm:
    return WorkloadFilterForm(request.GET, person=person, clusters=clusters)


def _shown(row: WorkloadView, registered: Mapping[str, int], *, may_file: bool) -> dict[str, Any]:
    return {
        "row": row,
        "badge": "by_claim" if row.is_claimed else BADGES.get(row.approval, row.approval),
        "gpus": workloads.gpus_text(row.gpus),
        "file": file_workload(row, registered=registered) if may_file and row.approval == "unknown" else "",
    }


def _shown_gpus(row: billed.BilledGpus, *, may_file: bool) -> dict[str, Any]:
    return {"row": row, "file": file_gpus(row) if may_file and not row.request else ""}
