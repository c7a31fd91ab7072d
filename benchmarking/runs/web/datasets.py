"""Pages of evaluation sets: the list, one version, and the form to register one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from benchmarking.runs.actions import datasets as writes
from benchmarking.runs.actions.datasets import LICENSE_CHARS_MAX, NewDataset
from benchmarking.runs.domain.evaluation_sets import DatasetPurpose, DatasetStatus, balance_lines
from benchmarking.runs.models import Dataset
from benchmarking.runs.queries import datasets as reads
from benchmarking.runs.rules import check_govern, check_propose_set, check_register, may_govern
from governance.audit.queries import trail
from governance.people.approvals import queries as approvals
from governance.people.approvals.enums import Changed
from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import AnyModelChoiceField, ReasonForm
from governance.site.queries import bounded_page
from governance.site.web.refusals import refusal_of, settled, show_in
from weighbridge.core.errors import Refused

PAGE_SIZE = 50
PURPOSES = (
    (DatasetPurpose.ACCEPTANCE.value, "Acceptance: judges models that never saw it"),
    (DatasetPurpose.DEVELOPMENT.value, "Development: compares models while they are made"),
    (DatasetPurpose.CALIBRATION.value, "Calibration: calibrates quantized variants"),
)


class DatasetFilterForm(forms.Form):
    """One status, or all."""

    status = forms.ChoiceField(
        required=False, choices=[("", "All"), *((each.value, each.value.capitalize()) for each in DatasetStatus)]
    )


class DatasetForm(forms.Form):
    """A version to register."""

    team = AnyModelChoiceField(None, to_field_name="slug", empty_label=None, label="Owner")
    name = forms.CharField(max_length=120, help_text="The same name again is its next version.")
    license = forms.CharField(max_length=LICENSE_CHARS_MAX, help_text="For example MIT, or internal.")
    purpose = forms.ChoiceField(choices=PURPOSES, widget=forms.RadioSelect, initial=PURPOSES[0][0])
    file = forms.FileField(
        max_length=160,
        help_text="An .npz file with arrays x (inputs) and y (labels). Rows and class balance are counted.",
    )
    is_governed = forms.BooleanField(
        required=False, label="Govern it at once", help_text="Everybody then sees it and may measure on it."
    )

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        teams = Team.objects.order_by("name")
        if may_govern(person):
            fields["team"].queryset = teams
        else:
            fields["team"].queryset = teams.filter(slug__in=person.teams)
            del fields["is_governed"]

    def entry(self) -> NewDataset:
        """The set to register."""
        given = dict(self.cleaned_data)
        return NewDataset(**given | {"team": given["team"].slug, "upload": given.pop("file")})


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/datasets/`: governed evaluation sets, and those of the reader's teams."""
    person, form = person_of(request), DatasetFilterForm(request.GET)
    status = form.cleaned_data["status"] if form.is_valid() else ""
    context = {
        "page": bounded_page(
            reads.listed(person=person, status=status), size=PAGE_SIZE, number=request.GET.get("page")
        ),
        "form": form,
        "is_filtered": bool(status),
        "may_register": not refusal_of(lambda: check_register(person, team="")),
    }
    return render(request, "benchmarking/runs/datasets.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """`/datasets/new/`: register a version of an evaluation set."""
    person = person_of(request)
    check_register(person, team="")
    data = (request.POST, request.FILES) if request.method == "POST" else ()
    form, status = DatasetForm(*data, person=person), 200
    if request.method == "POST" and form.is_valid():
        try:
            row = writes.register(entry=form.entry(), by=user_of(request), now=timezone.now())
        except Refused as refusal:
            show_in(form, refusal)
            status = refusal.status
        else:
            messages.success(request, f"{row} is registered.")
            return redirect("benchmarking:dataset", row.pk)
    elif request.method == "POST":
        status = 400
    crumbs = (("Evaluation sets", reverse("benchmarking:datasets")), ("Register", ""))
    context = {"form": form, "crumbs": crumbs, "had_file": bool(request.FILES)}
    return render(request, "benchmarking/runs/dataset_new.html", context, status=status)


@require_safe
def detail(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """`/datasets/7/`: one version: owner, license, purpose, class balance, status, and the steps."""
    return _page(request, reads.find(dataset_id=dataset_id, person=person_of(request)))


def _page(
    request: HttpRequest,
    row: Dataset,
    *,
    propose_form: ReasonForm | None = None,
    retire_form: ReasonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    person = person_of(request)
    change = approvals.open_for(kind=Changed.DATASET, subject=row)
    is_proposed, is_retired = row.status == DatasetStatus.PROPOSED, row.status == DatasetStatus.RETIRED
    context = {
        "dataset": row,
        "balance": balance_lines(row.class_balance),
        "versions": reads.visible_to(person).filter(team=row.team, name=row.name).order_by("-version"),
        "change": change,
        "waits_for": approvals.waits_for(change) if change else "",
        "cannot_propose": refusal_of(lambda: check_propose_set(person, team=row.team.slug)),
        "cannot_retire": refusal_of(lambda: check_govern(person, to="retire an evaluation set")),
        "is_proposed": is_proposed,
        "is_retired": is_retired,
        "propose_form": propose_form or ReasonForm(auto_id="propose-%s"),
        "retire_form": retire_form or ReasonForm(auto_id="retire-%s"),
        "events": trail.of_subject("dataset", subject=row.digest),
        "crumbs": (("Evaluation sets", reverse("benchmarking:datasets")), (str(row), "")),
    }
    return render(request, "benchmarking/runs/dataset.html", context, status=status)


@require_POST
def propose(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """Propose that the set is governed; redirect to the change, which a data steward confirms."""
    row = reads.find(dataset_id=dataset_id, person=person_of(request))
    check_propose_set(person_of(request), team=row.team.slug)
    form = ReasonForm(request.POST, auto_id="propose-%s")

    def act() -> str:
        change = writes.propose(dataset=row, **form.cleaned_data, by=user_of(request), now=timezone.now())
        return approvals.proposed_text(change)

    done, status = settled(request, form, act)
    change = approvals.open_for(kind=Changed.DATASET, subject=row) if done else None
    if change is None:
        return _page(request, row, propose_form=form, status=status)
    return redirect("governance:change", change.pk)


@require_POST
def retire(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """Retire the set."""
    row = reads.find(dataset_id=dataset_id, person=person_of(request))
    check_govern(person_of(request), to="retire an evaluation set")
    form = ReasonForm(request.POST, auto_id="retire-%s")

    def act() -> str:
        writes.retire(dataset=row, **form.cleaned_data, by=user_of(request), now=timezone.now())
        return f"{row} is retired. Values that were measured on it stay on record."

    done, status = settled(request, form, act)
    return (
        redirect("benchmarking:dataset", dataset_id) if done else _page(request, row, retire_form=form, status=status)
    )
