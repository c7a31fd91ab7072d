"""The page that answers which policy would judge a request."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from governance.inventory.enums import KINDS, TASKS, Tier
from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.queries.people import teams_of
from governance.people.rules import sees_everything
from governance.people.web.current_user import person_of
from governance.rulebook.domain.scopes import SubjectKind
from governance.site.web.refusals import show_in
from reviews.previews.domain.preview import RequestPreview
from reviews.previews.queries.previews import FilingSketch, preview_of_sketch, subject_from
from reviews.requests.enums import ENVIRONMENTS
from weighbridge.core.errors import Refused
from weighbridge.core.model_files.formats import ArtifactFormat

FORMATS = [(each.value, each.value) for each in ArtifactFormat]


class PreviewForm(forms.Form):
    """The properties of a request by which its policy is chosen."""

    kind = forms.ChoiceField(label="What is filed", choices=KINDS, initial=SubjectKind.FILE.value)
    format = forms.ChoiceField(
        label="Format", choices=FORMATS, required=False, help_text="Of one file; the other kinds have none."
    )
    task = forms.ChoiceField(label="What the model does", choices=TASKS)
    team = forms.ChoiceField()
    tier = forms.ChoiceField(choices=Tier.choices)
    environment = forms.ChoiceField(choices=ENVIRONMENTS)

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.order_by("name") if sees_everything(person) else teams_of(person)
        fields: dict[str, Any] = self.fields
        fields["team"].choices = [(team.slug, team.name) for team in teams]


@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """`/requests/preview/`: a form, and with its answers the policy that would judge such a request."""
    form = PreviewForm(request.GET or None, person=person_of(request))
    found, status = _preview_of(form)
    context = {
        "form": form,
        "preview": found,
        "crumbs": (("Requests", reverse("reviews:list")), ("Which policy judges", "")),
    }
    return render(request, "reviews/previews/preview.html", context, status=status)


def _preview_of(form: PreviewForm) -> tuple[RequestPreview | None, int]:
    if not form.is_bound:
        return None, 200
    if not form.is_valid():
        return None, 400
    try:
        return preview_of_sketch(subject_from(form.cleaned_data), sketch=FilingSketch(), now=timezone.now()), 200
    except Refused as refusal:
        show_in(form, refusal)
        return None, refusal.status
