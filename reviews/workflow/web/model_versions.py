"""The page of a model version: what it is, its lineage, and its retirement with the form to announce or move it."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.exports.web import json_answer
from governance.inventory.domain.retirement import SOURCE_CHARS_MAX, Announcement
from governance.inventory.models import ModelVersion
from governance.inventory.queries import find_version, subject_lines
from governance.inventory.rules import check_announce
from governance.people.approvals import queries as approvals
from governance.people.approvals.enums import Changed
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import ReasonForm
from governance.site.web.refusals import refusal_of, settled
from reviews.workflow.actions import retirements
from reviews.workflow.queries.model_documents import bom_of, card_of, permissions_of
from reviews.workflow.queries.view_version import lineage_view, retirement_view
from weighbridge.core.canonical import canonical_bytes, digest_of


class RetirementForm(ReasonForm):
    """The day on which the vendor retires the model, where it said so, and why it is entered."""

    retires_on = forms.DateField(
        required=False,
        label="Retires on",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="Empty if the vendor retires it no longer.",
    )
    source = forms.CharField(
        max_length=SOURCE_CHARS_MAX, help_text="Where the vendor announced it, for example an address."
    )
    field_order = ("retires_on", "source", "reason")


@require_safe
def detail(request: HttpRequest, version_id: int) -> HttpResponse:
    """`/versions/7/`: a version with its lineage and its retirement."""
    return _page(request, find_version(version_id=version_id, person=person_of(request)))


@require_safe
def card(request: HttpRequest, version_id: int) -> HttpResponse:
    """`/versions/7/card/`: the model card as a file in Markdown."""
    person = person_of(request)
    version = find_version(version_id=version_id, person=person)
    headers = {"Content-Disposition": f'attachment; filename="{version.asset.slug}-card.md"'}
    text = card_of(version, person=person, now=timezone.now())
    return HttpResponse(text, content_type="text/markdown; charset=utf-8", headers=headers)


@require_safe
def bom(request: HttpRequest, version_id: int) -> HttpResponse:
    """`/versions/7/bom/`: the bill of materials as a file in CycloneDX JSON."""
    person = person_of(request)
    version = find_version(version_id=version_id, person=person)
    bill = bom_of(version, person=person, now=timezone.now())
    return json_answer(canonical_bytes(bill), name=f"{version.asset.slug}.cdx.json", digest=digest_of(bill))


@require_POST
def retirement(request: HttpRequest, version_id: int) -> HttpResponse:
    """Announce or move the retirement; a later day is proposed, and a second person confirms it."""
    version = find_version(version_id=version_id, person=person_of(request))
    check_announce(person_of(request), team=version.asset.team.slug)
    form = RetirementForm(request.POST, auto_id="retirement-%s")
    changes = []

    def act() -> str:
        given = form.cleaned_data
        announcement = Announcement(retires_on=given["retires_on"], source=given["source"])
        change = retirements.announce(
            version=version, announcement=announcement, reason=given["reason"], by=user_of(request), now=timezone.now()
        )
        if change is None:
            return f"The retirement is announced for {given['retires_on']}. What depends on the model ends by it."
        changes.append(change)
        return approvals.proposed_text(change)

    done, status = settled(request, form, act)
    if not done:
        return _page(request, version, form=form, status=status)
    return redirect("governance:change", changes[0].pk) if changes else redirect("reviews:version", version.pk)


def _page(
    request: HttpRequest, version: ModelVersion, *, form: RetirementForm | None = None, status: int = 200
) -> HttpResponse:
    person, asset = person_of(request), version.asset
    initial = {"retires_on": version.ends_on}
    context: dict[str, Any] = {
        "version": version,
        "lines": subject_lines(version),
        "lineage": lineage_view(version, person=person),
        "retirement": retirement_view(version),
        "permissions": permissions_of(version, now=timezone.now()),
        "change": approvals.open_for(kind=Changed.RETIREMENT, subject=version),
        "cannot_announce": refusal_of(lambda: check_announce(person, team=asset.team.slug)),
        "form": form or RetirementForm(auto_id="retirement-%s", initial=initial),
        "crumbs": (
            ("Models", reverse("governance:models")),
            (asset.name, reverse("governance:model", args=[asset.team.slug, asset.slug])),
            (version.version, ""),
        ),
    }
    return render(request, "reviews/workflow/version.html", context, status=status)
