"""The page with a form for the rules of the next policy version, as an alternative to YAML."""

from collections.abc import Mapping
from typing import Any

import yaml
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from governance.people.web.current_user import person_of, user_of
from governance.rulebook.actions import documents as writes
from governance.rulebook.domain import policy_form
from governance.rulebook.domain.metric_limits import Comparator, Statistic
from governance.rulebook.domain.policy import RuleEffect, WaiverLevel
from governance.rulebook.models import PolicyVersion
from governance.rulebook.queries import rulebook
from governance.rulebook.queries.catalogs import catalog_in_force
from governance.rulebook.rules import check_write_rulebook
from weighbridge.core.errors import Refused
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.parsing.yaml_text import parse_yaml

RULES_MAX = 100
FIRST_METRIC = "training_gpu_hours"


def _label_text(text: str) -> str:
    return text.replace("_", " ").capitalize()


class RuleForm(forms.Form):
    """One rule: condition, accepted evidence, scope and effects.

    Each choice has an initial value, so that the empty form for a new rule counts as unchanged.
    """

    id = forms.SlugField(label="Name", max_length=80)
    metric = forms.CharField(
        max_length=60,
        initial=FIRST_METRIC,
        widget=forms.TextInput(attrs={"list": "metrics", "autocomplete": "off"}),
        help_text="A metric of the catalog; one with a number is written like ndcg@10.",
    )
    statistic = forms.ChoiceField(
        initial=Statistic.VALUE.value, choices=[(each.value, each.label or "the value") for each in Statistic]
    )
    comparator = forms.ChoiceField(
        label="Must be", initial=Comparator.AT_MOST.value, choices=[(each.value, each.words) for each in Comparator]
    )
    limit = forms.DecimalField()
    accept = forms.ChoiceField(
        label="Accepted evidence",
        initial=Basis.DECLARED.value,
        choices=[(each.value, f"{each.value} or stronger") for each in Basis],
    )
    min_n = forms.IntegerField(label="Minimum sample size", min_value=1, required=False)
    effect = forms.ChoiceField(
        label="If it does not hold",
        initial=RuleEffect.REQUIRE_REVIEW.value,
        choices=[(each.value, _label_text(each.value)) for each in RuleEffect],
    )
    on_indeterminate = forms.ChoiceField(
        label="If indeterminate",
        required=False,
        initial="",
        choices=[
            ("", "Same as the effect, but at least a review"),
            *((each.value, _label_text(each.value)) for each in RuleEffect),
        ],
    )
    level = forms.ChoiceField(
        label="Waivers",
        initial=WaiverLevel.HARD.value,
        choices=[(WaiverLevel.HARD.value, "cannot be waived"), (WaiverLevel.SOFT.value, "can be waived")],
    )
    kinds = forms.CharField(required=False, max_length=400, help_text="For example file, managed.")
    formats = forms.CharField(required=False, max_length=400, help_text="For example onnx, gguf.")
    tasks = forms.CharField(required=False, max_length=400, help_text="For example ranking, retrieval.")
    environments = forms.CharField(
        required=False, max_length=400, help_text="Separated by commas; leave empty for all environments."
    )
    tiers = forms.CharField(required=False, max_length=400, help_text="For example T1, T2; leave empty for all tiers.")
    teams = forms.CharField(required=False, max_length=2_000, help_text="Slugs; leave empty for all teams.")
    message = forms.CharField(max_length=2_000, widget=forms.Textarea(attrs={"rows": 2}))


RuleFormSet = forms.formset_factory(
    RuleForm, extra=1, can_delete=True, max_num=RULES_MAX, absolute_max=RULES_MAX, validate_max=True
)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """`/rulebook/policies/default/3/form/`: the next version, its rules in a form, and all else as in this version."""
    check_write_rulebook(person_of(request))
    version = rulebook.find(kind="policies", name=name, number=number)
    document = parse_yaml(version.source)
    is_sent = request.method == "POST"
    forms_of = RuleFormSet(request.POST) if is_sent else RuleFormSet(initial=policy_form.rows_of(document))
    if is_sent and forms_of.is_valid() and (draft := _drafted(request, forms_of, document)) is not None:
        return redirect("governance:policy", "policies", draft.name, draft.number)
    context = {
        "rules": forms_of,
        "version": version,
        "kept": policy_form.kept_rules(document),
        "metrics": catalog_in_force().values(),
        "crumbs": (
            ("Policy", reverse("governance:policies")),
            (str(version), reverse("governance:policy", args=["policies", name, number])),
            ("Rules in a form", ""),
        ),
    }
    return render(request, "governance/rulebook/policy_form.html", context, status=400 if is_sent else 200)


def _drafted(request: HttpRequest, forms_of: Any, document: Mapping[str, Any]) -> PolicyVersion | None:
    """The draft, or None with the error message at the invalid field."""
    used_forms = [form for form in forms_of if form.has_changed() or form.initial]
    used_forms = [form for form in used_forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
    rows = [{name: _text(value) for name, value in form.cleaned_data.items()} for form in used_forms]
    changed = policy_form.document_with(document, rows=rows, catalog=catalog_in_force())
    source = yaml.safe_dump(changed, sort_keys=False, allow_unicode=True)
    try:
        return writes.draft_policy(source=source, by=user_of(request), now=timezone.now())
    except Refused as refusal:
        place = policy_form.place_of(refusal.field)
        form = used_forms[place[0]] if place is not None and place[0] < len(used_forms) else None
        if form is None or place is None:
            forms_of.non_form_errors().append(refusal.reason)
        else:
            form.add_error(place[1] if place[1] in form.fields else None, refusal.reason)
        return None


def _text(value: object) -> str:
    return "" if value is None else str(value)
