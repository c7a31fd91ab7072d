"""Pages of the model inventory, and the download of stored files."""

from typing import Any

from django import forms
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.audit.queries import trail
from governance.exports.web import export
from governance.inventory import queries as inventory
from governance.inventory.actions import stored_files
from governance.inventory.enums import Tier
from governance.inventory.models import ModelAsset
from governance.inventory.queries import ModelSelection
from governance.people.approvals import queries as changes
from governance.people.approvals.enums import Changed
from governance.people.approvals.models import Change
from governance.people.models import Team
from governance.people.web.current_user import person_of
from governance.site.queries import bounded_page

PAGE_SIZE = 50


class ModelFilterForm(forms.Form):
    """Filters of the list."""

    q = forms.CharField(label="Name or digest", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    team = forms.ModelChoiceField(
        Team.objects.order_by("name"), required=False, to_field_name="slug", empty_label="All"
    )
    tier = forms.ChoiceField(required=False, choices=[("", "All"), *Tier.choices])

    def filters(self) -> ModelSelection:
        """The filters. Invalid values are ignored."""
        self.is_valid()
        given = self.cleaned_data
        team = given.get("team")
        return ModelSelection(given.get("q", ""), team.slug if team else "", given.get("tier", ""))


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/models/`: all models that the user may see."""
    form = ModelFilterForm(request.GET)
    filters = form.filters()
    rows = inventory.listed(person=person_of(request), filters=filters)
    page = bounded_page(rows, size=PAGE_SIZE, number=request.GET.get("page"))
    context = {"page": page, "form": form, "is_filtered": filters != ModelSelection()}
    return render(request, "governance/inventory/models.html", context)


@require_safe
def exported(request: HttpRequest, kind: str) -> HttpResponseBase:
    """`/models.csv` and `.xlsx`: all pages of the filtered list."""
    return export(inventory.table(person=person_of(request), filters=ModelFilterForm(request.GET).filters()), kind=kind)


@require_safe
def detail(request: HttpRequest, team: str, slug: str) -> HttpResponse:
    """`/models/<team>/<slug>/`: a model, its versions and its history. The page loads the runs separately."""
    asset = inventory.find(team=team, slug=slug, person=person_of(request))
    context = {
        "asset": asset,
        "versions": inventory.versions_of(asset),
        "reclassified": changes.open_for(kind=Changed.TIER_OR_TASK, subject=asset),
        "named": changes.open_for(kind=Changed.OWNER, subject=asset),
        "events": trail.of_subject("model", subject=f"{team}/{slug}"),
        "crumbs": (("Models", "/models/"), (asset.name, "")),
    }
    return render(request, "governance/inventory/model.html", context)


def part_of_change(change: Change) -> dict[str, Any]:
    """The context for the page of a change of owner: the model."""
    return {"asset": ModelAsset.objects.select_related("team").get(pk=change.subject_id)}


def file_answer(digest: str, *, name: str, kind: str) -> FileResponse:
    """A response that downloads a stored file, with its digest in the header `X-Content-Digest`.

    Raises DamagedFile before the first byte is sent.
    """
    content = stored_files.opened(digest=digest, now=timezone.now())
    answer = FileResponse(content, as_attachment=True, filename=name, content_type=kind)
    answer["X-Content-Digest"] = digest
    return answer
