"""The personal notes on the page of a request: what changed since the last look, and the parts marked as viewed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from governance.people.domain.roles import Person
from governance.people.web.current_user import person_of, wants_fragment
from governance.site.domain.numbers import whole_number
from reviews.notes.domain.draft_votes import (
    CONDITION_PARTS,
    CONDITIONS_MAX,
    LIFTED_MAX,
    DraftCondition,
    VoteDraft,
    check_conditions,
)
from reviews.notes.domain.looks import POSITION_MAX, Look
from reviews.notes.domain.parts import DIGEST_CHARS_MAX, PartName
from reviews.notes.models import DraftVote, LastLook, ViewedPart
from reviews.notes.queries.draft_votes import DraftVoteView, draft_vote_of
from reviews.notes.queries.looks import since_last_look
from reviews.notes.queries.viewed import part_digest, part_views
from reviews.notes.rules import check_draft_vote
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import find, readers_of
from reviews.snapshots.queries.snapshot import RequestSnapshot, snapshot_of
from reviews.voting.domain.rationales import RATIONALE_CHARS_MAX
from reviews.voting.models import CHOICES
from weighbridge.core.errors import Invalid, Refused, WrongState

CONDITIONS_SHOWN = 3
"""The conditions that the form of a vote has room for, or more if the draft has more."""


def condition_numbers(given: Mapping[str, Any]) -> range:
    """The numbers of the conditions of a form: those it always has, and those of what is given."""
    numbers = range(1, CONDITIONS_MAX + 1)
    filled = [number for number in numbers if any(f"{part}_{number}" in given for part in CONDITION_PARTS)]
    return range(1, max([CONDITIONS_SHOWN, *filled]) + 1)


class LookForm(forms.Form):
    """The latest event of the trail that the page showed, and whether the reader marked everything as read."""

    position = forms.IntegerField(min_value=0, max_value=POSITION_MAX)
    is_read = forms.BooleanField(required=False)


class ViewedForm(forms.Form):
    """A part, and whether it is marked as viewed or not any more. `digest` is that of what the page showed of it."""

    part = forms.ChoiceField(choices=[(part.value, part.words) for part in PartName])
    digest = forms.CharField(required=False, max_length=DIGEST_CHARS_MAX)
    is_viewed = forms.BooleanField(required=False)


class IdsField(forms.TypedMultipleChoiceField):
    """Ids; that each names something is checked when the vote is cast."""

    def valid_value(self, value: Any) -> bool:
        """Whether a text is an id."""
        return whole_number(str(value)) is not None


class DraftVoteForm(forms.Form):
    """The fields of a vote, none of them required. `people` may be responsible for a condition."""

    revision = forms.IntegerField(required=False)
    choice = forms.ChoiceField(required=False, choices=[("", ""), *CHOICES])
    rationale = forms.CharField(required=False, max_length=RATIONALE_CHARS_MAX)
    in_place_of = forms.CharField(required=False, max_length=CONDITION_PARTS["owner"])
    lifted = IdsField(required=False, coerce=int)

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        self.numbers = condition_numbers(self.data)
        for number in self.numbers:
            for part, longest in CONDITION_PARTS.items():
                self.fields[f"{part}_{number}"] = forms.CharField(required=False, max_length=longest)

    def draft(self, *, kept: tuple[DraftCondition, ...]) -> VoteDraft:
        """The draft of a valid form. `kept` are the conditions before, which stay where the form has none.

        Raises Invalid as `check_conditions`.
        """
        given = self.cleaned_data
        return VoteDraft(
            choice=given["choice"],
            rationale=given["rationale"],
            conditions=self._conditions() if "text_1" in self.data else kept,
            in_place_of=given["in_place_of"],
            lifted_ids=tuple(given["lifted"][:LIFTED_MAX]),
        )

    def _conditions(self) -> tuple[DraftCondition, ...]:
        """The conditions, each with the user name of its owner, whom the form gives by id."""
        given = self.cleaned_data
        rows = [{part: given[f"{part}_{number}"] for part in CONDITION_PARTS} for number in self.numbers]
        ids = [row["owner"] for row in rows if whole_number(row["owner"]) is not None]
        names = {str(pk): name for pk, name in self.people.filter(pk__in=ids).values_list("pk", "username")}
        # No user name has a “#”, so that an id of nobody who can see the request is refused below.
        owners = [names.get(row["owner"], row["owner"] and f"#{row['owner']}") for row in rows]
        found = [DraftCondition(**row | {"owner": owner}) for row, owner in zip(rows, owners, strict=True)]
        check_conditions(found, people=frozenset(names.values()))
        return tuple(found)


@require_POST
def draft_vote(request: HttpRequest, ref: str) -> HttpResponse:
    """Save the vote as a draft that only its author sees: by a button, or by the form itself after a change."""
    saved_at, why_not = timezone.now(), ""
    try:
        _save_draft(find(ref=ref, person=person_of(request)), person_of(request), request.POST, saved_at)
    except Refused as refusal:
        if not (wants_fragment(request) or isinstance(refusal, WrongState)):
            raise
        why_not = refusal.reason
    if wants_fragment(request):
        # A page that says why would be put into the form of the vote.
        context = {"saved_at": saved_at, "why_not": why_not}
        return render(request, "reviews/notes/draft_state.html", context)
    if why_not:
        messages.error(request, why_not)
    else:
        messages.success(request, "Your vote is saved as a draft. Only you see it.")
    return redirect(f"{reverse('reviews:detail', args=[ref])}#votes")


def _save_draft(row: ReviewRequest, person: Person, given: QueryDict, now: datetime) -> None:
    check_draft_vote(person, row)
    form = DraftVoteForm(given, people=readers_of(row))
    if not form.is_valid():
        raise Invalid("The draft is too long, or its choice is not known.", field="rationale")
    seen = form.cleaned_data["revision"]
    before = DraftVote.objects.filter(request=row, person_id=person.id).first()
    kept = tuple(DraftCondition(**each) for each in before.conditions) if before else ()
    draft = form.draft(kept=kept)
    DraftVote.keep(request=row, person_id=person.id, draft=draft, seen=seen, now=now)


def vote_initial(draft: DraftVoteView | None, *, names: Collection[str]) -> dict[str, Any]:
    """The initial values of the form of a vote, from a draft. `names` are those in whose place the person may vote.

    The choice was made for one of them, so it is open again without that name.
    """
    if draft is None:
        return {}
    owners = User.objects.filter(username__in=[each.owner for each in draft.conditions])
    ids = {name: str(pk) for pk, name in owners.values_list("pk", "username")}
    values: dict[str, Any] = {"rationale": draft.rationale, "lifted": draft.lifted_ids}
    if draft.in_place_of in names:
        values |= {"choice": draft.choice, "in_place_of": draft.in_place_of}
    for number, each in enumerate(draft.conditions, start=1):
        parts = {"text": each.text, "owner": ids.get(each.owner, ""), "due_on": each.due_on}
        values |= {f"{part}_{number}": value for part, value in parts.items()}
    return values


@require_POST
def look(request: HttpRequest, ref: str) -> HttpResponse:
    """Note that the reader looks at the request. The page posts this by itself, because a GET changes nothing."""
    row, form = find(ref=ref, person=person_of(request)), LookForm(request.POST)
    if not form.is_valid():
        raise Invalid("Open the page of the request again.", field="position")
    seen = Look(position=form.cleaned_data["position"], revision=row.revision, at=timezone.now())
    is_read = form.cleaned_data["is_read"]
    LastLook.keep(request_id=row.pk, person_id=person_of(request).id, look=seen, is_read=is_read)
    return HttpResponse(status=204) if wants_fragment(request) else redirect("reviews:detail", ref)


@require_POST
def viewed(request: HttpRequest, ref: str) -> HttpResponse:
    """Mark a part as viewed, or take the mark away."""
    row, form, person = find(ref=ref, person=person_of(request)), ViewedForm(request.POST), person_of(request)
    if not form.is_valid():
        raise Invalid("Choose one of the parts of the request.", field="part")
    part, now = PartName(form.cleaned_data["part"]), timezone.now()
    present, seen = part_digest(snapshot_of(row, now=now), part=part), form.cleaned_data["digest"]
    is_viewed = form.cleaned_data["is_viewed"]
    ViewedPart.mark(
        request=row, person_id=person.id, part=part, seen=seen, present=present, is_viewed=is_viewed, now=now
    )
    return redirect(f"{reverse('reviews:detail', args=[ref])}#viewed")


def notes_context(snapshot: RequestSnapshot, *, request: HttpRequest) -> dict[str, Any]:
    """What `reviews/notes/since.html` shows."""
    person = person_of(request)
    return {
        "draft_vote": draft_vote_of(snapshot, person=person),
        "since": since_last_look(snapshot, person=person),
        "parts": part_views(snapshot, person=person) if snapshot.request.policy else (),
    }
