"""The page of saved views, and the form beside a list that saves one."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import AnyModelChoiceField
from governance.saved_views.actions import remove_view, save_view
from governance.saved_views.domain import LISTS, NAME_CHARS_MAX
from governance.saved_views.models import SavedView
from governance.saved_views.queries import find, shareable_teams, visible_to
from governance.saved_views.rules import check_remove_view, may_remove_view
from governance.site.web.refusals import settled
from governance.site.web.undo import Undoable, tell, undoes

QUERY_CHARS_MAX = 4_000


class ViewForm(forms.Form):
    """The name of the view, and the team that sees it too. The filters are those of the address of the list."""

    list_name = forms.ChoiceField(choices=list(LISTS.items()), widget=forms.HiddenInput)
    filters = forms.CharField(max_length=QUERY_CHARS_MAX, widget=forms.HiddenInput)
    name = forms.CharField(label="Name", max_length=NAME_CHARS_MAX)

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"] = AnyModelChoiceField(
            shareable_teams(person),
            label="Share with",
            required=False,
            empty_label="Nobody",
            to_field_name="slug",
        )


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """`/saved-views/`: the views that the reader may see. POST saves one, then opens it."""
    person, form, status = person_of(request), None, 200
    if request.method == "POST":
        form, saved = ViewForm(request.POST, person=person), list[SavedView]()

        def act() -> str:
            saved.append(save_view(**form.cleaned_data, by=user_of(request), now=timezone.now()))
            return f"“{saved[0]}” is saved."

        is_done, status = settled(request, form, act)
        if is_done:
            return redirect(saved[0].address)
    entries = [(row, may_remove_view(person, owner_id=row.owner_id)) for row in visible_to(person)]
    context = {"entries": entries, "form": form, "person_id": person.id}
    return render(request, "governance/saved_views/saved_views.html", context, status=status)


@require_POST
def remove(request: HttpRequest, view_id: int) -> HttpResponse:
    """Remove a view. Its owner can undo that."""
    person = person_of(request)
    row = find(view_id=view_id, person=person)
    check_remove_view(person, owner_id=row.owner_id)
    remove_view(view=row, by=user_of(request), now=timezone.now())
    sentence = f"“{row}” is removed."
    kept = {"list_name": row.list_name, "name": row.name, "filters": row.filters}
    team = row.team.slug if row.team else ""
    tell(request, Undoable(sentence, step="view removed", **kept, team=team) if row.owner_id == person.id else sentence)
    return redirect("governance:saved_views")


@undoes("view removed")
def _save_again(*, team: str, by: User, now: datetime, **kept: str) -> str:
    return f"“{save_view(**kept, team=Team.objects.filter(slug=team).first(), by=by, now=now)}” is saved again."
