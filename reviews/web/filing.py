"""Filing a request and changing a draft."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from benchmarking.actions import datasets
from benchmarking.models import Dataset
from governance.actions import inventory
from governance.domain.refusals import Invalid, Refused
from governance.models import ModelAsset, ModelVersion
from governance.rules import check_act_for_any_team
from governance.web.reader import person_of, user_of
from governance.web.refusals import attempt, show_in
from reviews.actions import evidence, requests
from reviews.actions.requests import Filing
from reviews.domain.lifecycle import State
from reviews.models import ReviewRequest
from reviews.queries import view_evidence
from reviews.queries.requests import find, parties_of
from reviews.rules import check_edit
from reviews.web.filing_forms import FiguresForm, FilingForm

Asked = Mapping[str, Any]
SUBMITTED = {
    State.CLEARED: "Submitted and cleared: no rule of the policy requires a review.",
    State.EVIDENCE: "Submitted. A review is mandatory: the ticket is asked for, the benchmarks are queued, the checklist is open.",
}


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """`/requests/new/`: an empty form, or the draft it makes."""
    person = person_of(request)
    check_act_for_any_team(person)
    return _page(request, None, FilingForm(*_given(request), person=person), FiguresForm(*_given(request)))


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, ref: str) -> HttpResponse:
    """`…/edit/`: the draft as it stands, or as it is to be."""
    person = person_of(request)
    draft = find(ref=ref, person=person)
    check_edit(person, parties_of(draft))
    if draft.state != State.DRAFT:
        messages.warning(request, f"The request is {State(draft.state).words}; only a draft can be edited.")
        return redirect("reviews:detail", ref)
    known = {
        fact.kind.name: fact.claimed for fact in view_evidence.fact_views(draft, now=timezone.now()) if fact.claimed
    }
    form = FilingForm(*_given(request), person=person, draft=draft, initial=_initial(draft))
    return _page(request, draft, form, FiguresForm(*_given(request), known=known))


def file_request(
    *, form: FilingForm, figures: FiguresForm, draft: ReviewRequest | None, by: User, now: datetime
) -> ReviewRequest:
    """Register what is new, file or change the draft, state its figures; all of it or, when refused, nothing."""
    asked = form.cleaned_data
    with transaction.atomic():
        filing = Filing(
            title=asked["title"], purpose=asked["purpose"], environment=asked["environment"],
            business_case=asked["business_case"], model_version=_version(asked, by, now),
            dataset=_dataset(asked, by, now),
        )  # fmt: skip
        if draft is None:
            draft = requests.create(filing=filing, by=by, now=now)
        else:
            draft = requests.edit(request=draft, filing=filing, by=by, now=now)
        for statement in figures.statements():
            with _named({"value": statement.name}, otherwise=statement.name):
                evidence.state_fact(request=draft, statement=statement, by=by, now=now)
    return draft


def _page(request: HttpRequest, draft: ReviewRequest | None, form: FilingForm, figures: FiguresForm) -> HttpResponse:
    status = 200
    if request.method == "POST":
        if form.is_valid() & figures.is_valid():
            try:
                saved = file_request(form=form, figures=figures, draft=draft, by=user_of(request), now=timezone.now())
            except Refused as refusal:
                show_in(figures if refusal.field in figures.fields else form, refusal)
                status = refusal.status
            else:
                return _saved(request, saved)
        else:
            status = 400
    here = (draft.ref, reverse("reviews:detail", args=[draft.ref])) if draft else ("New", "")
    context = {
        "crumbs": (("Requests", reverse("reviews:list")), here, *((("Edit", ""),) if draft else ())),
        "draft": draft,
        "form": form,
        "figures": figures,
        "had_file": bool(request.FILES),
    }
    return render(request, "reviews/filing.html", context, status=status)


def _saved(request: HttpRequest, draft: ReviewRequest) -> HttpResponse:
    if request.POST.get("then") == "submit":
        attempt(request, lambda: SUBMITTED[State(_submitted(request, draft).state)])
    else:
        messages.success(request, f"{draft.ref} is saved as a draft.")
    return redirect("reviews:detail", draft.ref)


def _submitted(request: HttpRequest, draft: ReviewRequest) -> ReviewRequest:
    return requests.submit(request=draft, by=user_of(request), now=timezone.now())


def _given(request: HttpRequest) -> tuple[Any, ...]:
    return (request.POST, request.FILES) if request.method == "POST" else ()


def _initial(draft: ReviewRequest) -> dict[str, Any]:
    return {
        "title": draft.title, "purpose": draft.purpose, "environment": draft.environment,
        "business_case": draft.business_case, "artifact": "registered", "model_version": draft.model_version_id,
        "evaluation": "registered" if draft.dataset_id else "none", "dataset": draft.dataset_id,
    }  # fmt: skip


def _version(asked: Asked, by: User, now: datetime) -> ModelVersion:
    if asked["artifact"] == "registered":
        chosen: ModelVersion = asked["model_version"]
        return chosen
    asset = asked["asset"] or _new_asset(asked, by, now)
    if asked["artifact"] == "upload":
        return inventory.register_upload(asset=asset, version=asked["version"], upload=asked["file"], by=by, now=now)
    return inventory.register_reference(
        asset=asset, version=asked["version"], uri=asked["uri"], digest=asked["sha256"], by=by, now=now
    )


def _new_asset(asked: Asked, by: User, now: datetime) -> ModelAsset:
    if ModelAsset.objects.filter(team__slug=asked["team"], slug=asked["slug"]).exists():
        raise Invalid(
            f"The team has a model called {asked['slug']!r} already; choose it above, or use another short name.",
            field="slug",
        )
    return inventory.register_asset(
        team=asked["team"],
        slug=asked["slug"],
        name=asked["name"],
        tier=asked["tier"],
        owner=asked["owner"],
        by=by,
        now=now,
    )


def _dataset(asked: Asked, by: User, now: datetime) -> Dataset | None:
    if asked["evaluation"] == "none":
        return None
    if asked["evaluation"] == "registered":
        chosen: Dataset = asked["dataset"]
        return chosen
    with _named({"file": "dataset_file", "name": "dataset_name"}, otherwise="dataset_file"):
        return datasets.register(name=asked["dataset_name"], upload=asked["dataset_file"], by=by, now=now)


@contextmanager
def _named(fields: Mapping[str, str], *, otherwise: str) -> Iterator[None]:
    """Rename the field of a refusal to the one of this form."""
    try:
        yield
    except Refused as refusal:
        refusal.field = fields.get(refusal.field or "", otherwise)
        raise
