"""Pages of the rulebook: versions, their content and differences, drafts, and proposals for publication."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change as Proposal
from governance.people.approvals.queries import open_for
from governance.people.rules import may_read_changes, sees_everything
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import reason_in
from governance.rulebook.actions import documents as writes
from governance.rulebook.actions import publication as proposals
from governance.rulebook.domain.policy_diff import PolicyDifference
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import CatalogVersion, ChecklistVersion, PolicyVersion
from governance.rulebook.queries import rulebook
from governance.rulebook.queries.rulebook import Version
from governance.rulebook.rules import check_propose_publication, check_write_rulebook, may_write_rulebook
from governance.site.domain.numbers import whole_number
from governance.site.web.refusals import refusal_of, refusals_shown
from weighbridge.core.errors import Invalid, NotFound

_WRITES: Mapping[str, Callable[..., Version]] = {
    PolicyVersion.plural: writes.draft_policy,
    ChecklistVersion.plural: writes.draft_checklist,
    CatalogVersion.plural: writes.draft_catalog,
}


class DraftForm(forms.Form):
    """A document as YAML."""

    source = forms.CharField(
        label="YAML",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 32, "spellcheck": "false", "class": "code-input", "autocomplete": "off"}),
        help_text="The document is checked when you save it. Error messages name the position, like rules[2].limit.",
    )


_CHANGED = re.compile(r" changed from | is new: | was removed\. ")


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/rulebook/`: all versions of all policies, checklists and metric catalogs."""
    kinds = [(name, kind.model.word, rulebook.versions(name)) for name, kind in rulebook.KINDS.items()]
    context = {"kinds": kinds, "may_write": may_write_rulebook(person_of(request))}
    return render(request, "governance/rulebook/policies.html", context)


@require_safe
def detail(request: HttpRequest, kind: str, name: str, number: int) -> HttpResponse:
    """One version: its content, its source and, for a draft, the changes on publication."""
    version = rulebook.find(kind=kind, name=name, number=number)
    context = {
        "kind": kind,
        "word": version.word,
        "version": version,
        "row": rulebook.row_of(version),
        "others": [each for each in rulebook.versions(kind) if each.name == name and each.number != number],
        "may_write": may_write_rulebook(person_of(request)),
        "may_backtest": kind == "policies" and sees_everything(person_of(request)),
        "crumbs": (("Policy", reverse("governance:policies")), (f"{name} v{number}", "")),
        **_parsed(version),
        **(_draft_context(request, kind, version) if version.state == DocumentState.DRAFT else {}),
        **(_retirement_context(request, version) if isinstance(version, PolicyVersion) else {}),
    }
    return render(request, f"governance/rulebook/{version.word}.html", context)


@require_safe
def difference(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    """`…/diff/?from=1&to=2`: the differences between two versions."""
    before, after = (_asked(request, kind, name, field) for field in ("from", "to"))
    context = {
        "kind": kind,
        "word": after.word,
        "name": name,
        "before": before,
        "after": after,
        "changes": shown_changes(before=before, after=after),
        "numbers": [each.number for each in rulebook.versions(kind) if each.name == name],
        "crumbs": (
            ("Policy", reverse("governance:policies")),
            (f"{name} v{after.number}", reverse("governance:policy", args=[kind, name, after.number])),
            (f"Changes since v{before.number}", ""),
        ),
    }
    return render(request, "governance/rulebook/difference.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, kind: str) -> HttpResponse:
    """`…/new/`: write the next version, based on the published version or the given one."""
    word = rulebook.kind_of(kind).model.word
    check_write_rulebook(person_of(request))
    form = DraftForm(request.POST) if request.method == "POST" else DraftForm(initial={"source": _start(request, kind)})
    if request.method == "POST" and form.is_valid():
        try:
            version: Version = _WRITES[kind](
                source=form.cleaned_data["source"], by=user_of(request), now=timezone.now()
            )
        except Invalid as refusal:
            form.add_error("source", refusal.reason)
        else:
            return redirect("governance:policy", kind, version.name, version.number)
    context = {
        "kind": kind,
        "word": word,
        "form": form,
        "crumbs": (("Policy", reverse("governance:policies")), (f"New {word} version", "")),
    }
    return render(request, "governance/rulebook/draft.html", context)


@require_POST
def propose(request: HttpRequest, kind: str, name: str, number: int) -> HttpResponse:
    """Propose the publication of a draft. A second person confirms."""
    check_propose_publication(person_of(request))
    version = rulebook.find(kind=kind, name=name, number=number)
    with refusals_shown(request):
        by, now = user_of(request), timezone.now()
        change = proposals.propose_publication(version=version, reason=reason_in(request), by=by, now=now)
        what_next = "An administrator who neither wrote nor proposed it must confirm it within seven days."
        messages.success(request, f"{change} is proposed. {what_next}")
    return redirect("governance:policy", kind, name, number)


@require_POST
def retire(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Propose to take a policy out of force without a successor. A second person confirms."""
    check_propose_publication(person_of(request))
    version = rulebook.policy_version(name=name, number=number)
    with refusals_shown(request):
        by, now = user_of(request), timezone.now()
        change = proposals.propose_retirement(version=version, reason=reason_in(request), by=by, now=now)
        messages.success(request, f"{change} is proposed. Another administrator must confirm it within seven days.")
    return redirect("governance:policy", version.plural, name, number)


def _parsed(version: Version) -> dict[str, Any]:
    """The parsed document, or None for an old version that can no longer be parsed; then only its source is shown."""
    try:
        return {version.word: rulebook.parsed(version)}
    except Invalid as refusal:
        return {"unreadable": refusal.reason}


def _draft_context(request: HttpRequest, kind: str, version: Version) -> dict[str, Any]:
    current = rulebook.in_force(kind=kind, name=version.name)
    return {
        "current": current,
        "changes": shown_changes(before=current, after=version) if current else None,
        "cannot_propose": refusal_of(lambda: check_propose_publication(person_of(request))),
        "open_change": open_for(kind=rulebook.kind_of(kind).changed, subject=version),
        "may_read_changes": may_read_changes(person_of(request)),
    }


def _retirement_context(request: HttpRequest, version: PolicyVersion) -> dict[str, Any]:
    """Whether the policy can be retired, and the open change that proposes it."""
    if version.state != DocumentState.PUBLISHED:
        return {}
    return {
        "cannot_retire": refusal_of(lambda: rulebook.check_retirable(version)),
        "open_change": open_for(kind=Changed.POLICY_END, subject=version),
        "may_read_changes": may_read_changes(person_of(request)),
    }


def part_of_change(change: Proposal) -> dict[str, Any]:
    """The context for the page of a proposed change: the version that it publishes."""
    version = rulebook.version_of(change)
    kind = version.plural
    current = rulebook.in_force(kind=kind, name=version.name)
    is_open = change.state == ChangeState.PENDING
    is_publication = change.kind != Changed.POLICY_END
    differences = None
    if is_open and is_publication and current is not None:
        differences = shown_changes(before=current, after=version)
    page = reverse("governance:policy", args=[kind, version.name, version.number])
    return {"version": version, "version_page": page, "differences": differences}


def shown_changes(*, before: Version, after: Version) -> tuple[PolicyDifference, ...]:
    """Changes for a table with the columns before and after; the words say only what changed, and how."""
    return tuple(replace(change, words=_subject(change)) for change in rulebook.changes(before=before, after=after))


def _subject(change: PolicyDifference) -> str:
    subject = _CHANGED.split(change.words, maxsplit=1)[0]
    ways = [way for way in ("looser", "stricter") if change.words.endswith(f"which is {way}.")]
    return f"{subject}, {ways[0]}" if ways else subject


def _asked(request: HttpRequest, kind: str, name: str, field: str) -> Version:
    number = whole_number(request.GET.get(field, ""))
    if number is None:
        raise NotFound("Give the versions to compare, like ?from=1&to=2.")
    return rulebook.find(kind=kind, name=name, number=number)


def _start(request: HttpRequest, kind: str) -> str:
    name, _, text = request.GET.get("from", "").rpartition(":")
    number = whole_number(text)
    if name and number is not None:
        return rulebook.find(kind=kind, name=name, number=number).source
    base = rulebook.latest(kind)
    return base.source if base else ""
