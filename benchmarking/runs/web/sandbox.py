"""The sandbox page: the isolation of model files, and an administrator's choice to allow runs without bubblewrap."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from benchmarking.runs.actions import sandbox as writes
from benchmarking.runs.queries import sandbox
from benchmarking.runs.rules import check_choose_sandbox
from governance.people.approvals.models import Change
from governance.people.approvals.queries import proposed_text, waits_for
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import ReasonForm
from governance.site.web.refusals import refusal_of, settled


class ChoiceForm(ReasonForm):
    """The new choice and its reason."""

    may_skip_bubblewrap = forms.BooleanField(required=False, widget=forms.HiddenInput)


@require_safe
def detail(request: HttpRequest) -> HttpResponse:
    """`/sandbox/`: the current choice, earlier choices, and the isolation that the latest runs used."""
    return render(request, "benchmarking/runs/sandbox.html", _context(request))


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Allow or forbid runs without bubblewrap."""
    check_choose_sandbox(person_of(request))
    form = ChoiceForm(request.POST)

    def act() -> str:
        done = writes.choose(**form.cleaned_data, by=user_of(request), now=timezone.now())
        if isinstance(done, Change):
            return proposed_text(done)
        return "Saved. The choice applies to all runs that start from now on."

    is_done, status = settled(request, form, act)
    if is_done:
        return redirect("benchmarking:sandbox")
    return render(request, "benchmarking/runs/sandbox.html", _context(request) | {"form": form}, status=status)


def _context(request: HttpRequest) -> dict[str, Any]:
    may_skip_bubblewrap, proposed = sandbox.may_skip_bubblewrap(), sandbox.proposed()
    return {
        "may_skip_bubblewrap": may_skip_bubblewrap,
        "choices": sandbox.choices(),
        "proposed": proposed,
        "waits_for": waits_for(proposed) if proposed else "",
        "layers": sandbox.last_layers(),
        "form": ChoiceForm(initial={"may_skip_bubblewrap": not may_skip_bubblewrap}),
        "choice_label": "Require bubblewrap again"
        if may_skip_bubblewrap
        else "Propose to allow runs without bubblewrap",
        "cannot_choose": refusal_of(lambda: check_choose_sandbox(person_of(request))),
    }
