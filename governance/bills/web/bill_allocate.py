"""The page that proposes an allocation rule for selected lines of a bill, with a preview on this bill."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods

from governance.bills.actions import allocation as writes
from governance.bills.domain.allocation.breakdown import TEAM, LineSelection, read_selection, title_of
from governance.bills.domain.allocation.drafts import kept_apart, overlapping
from governance.bills.domain.allocation.rules import REQUEST_REF, FieldPattern, Rule
from governance.bills.models import AllocationVersion, Bill
from governance.bills.queries import allocation, bills, breakdown
from governance.bills.rules import check_handle_bills
from governance.bills.web.bill_spend import BillLinks, chips, crumbs
from governance.inventory.models import ModelAsset
from governance.people.approvals.queries import proposed_text
from governance.people.domain.reasons import REASON_CHARS_MAX
from governance.people.models import Team
from governance.people.web.current_user import person_of, user_of
from governance.people.web.fields import LinesField
from governance.site.web.refusals import settled
from weighbridge.core.errors import Invalid

RULE_ID_CHARS_MAX, REQUEST_CHARS_MAX, ADDRESS_CHARS_MAX, NAMED = 80, 20, 3_000, 2


class AllocationRuleForm(forms.Form):
    """What an allocation rule says besides its conditions."""

    account = forms.ChoiceField(label="Allocate to the budget of")
    model = forms.ChoiceField(label="Model", required=False, help_text="Its bills are compared with its projection.")
    request = forms.RegexField(
        REQUEST_REF,
        required=False,
        max_length=REQUEST_CHARS_MAX,
        error_messages={"invalid": "Write it like MRR-2026-0001."},
        help_text="Format: MRR-2026-0001. The cost then draws on the commitment of that request.",
    )
    rule = forms.SlugField(label="Name of the rule", max_length=RULE_ID_CHARS_MAX)
    reason = LinesField(
        label="Why",
        max_length=REASON_CHARS_MAX,
        help_text="For the second person.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        models = ModelAsset.objects.select_related("team").order_by("team__name", "name")
        names = [(f"{row.team.slug}/{row.slug}", f"{row.team.name}: {row.name}") for row in models]
        teams = Team.objects.order_by("name").values_list("slug", "name")
        self.fields["account"].choices = [("", "Choose a team"), *teams]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["model"].choices = [("", "No model"), *names]  # type: ignore[attr-defined]  # a ChoiceField

    def rule_with(self, conditions: tuple[FieldPattern, ...]) -> Rule:
        """The rule of a valid form."""
        given = self.cleaned_data
        return Rule(given["rule"], conditions, given["account"], given["model"], given["request"])


@require_http_methods(["GET", "HEAD", "POST"])
def allocate(request: HttpRequest, bill_id: int) -> HttpResponse:
    """`/bills/<number>/allocate/`: the rule for the selected lines that no rule allocates. POST proposes it.

    A selection that overlaps with other rules is first narrowed to what the lines have in common.
    """
    bill = bills.find(bill_id=bill_id, person=person_of(request))
    check_handle_bills(person_of(request))
    selection, base = read_selection(dict(request.GET.lists())).of_rule, allocation.proposed()
    others = allocation.parse(base.source).rules if base else ()
    rule = _rule(selection)
    if request.method != "POST":
        apart = _kept_apart(bill, selection, rule, others)
        if apart != selection and apart.fits and len(apart.address()) <= ADDRESS_CHARS_MAX:
            return redirect(f"{request.path}?{apart.address()}")
    form = AllocationRuleForm(request.POST or None, initial={"rule": _free_name(selection, others)})
    status = 200
    if request.method == "POST":
        done, status = settled(request, form, lambda: _propose(request, form, rule, base))
        if done:
            return redirect("governance:bill", bill.pk)
    context = {"form": form, "base": base} | _preview(bill, selection, rule, others)
    return render(request, "governance/bills/bill_allocate.html", context, status=status)


def _rule(selection: LineSelection) -> Rule:
    if not selection.values:
        raise Invalid("Select lines first: open a bill, and choose a service, an SKU or a tag of its spend.")
    return Rule("", selection.conditions, "")


def _kept_apart(bill: Bill, selection: LineSelection, rule: Rule, others: tuple[Rule, ...]) -> LineSelection:
    """The selection with the conditions that keep its rule apart from others."""
    lines = breakdown.lines_of(bill, selection=selection.narrowed(TEAM, ""))
    apart = kept_apart(rule, others, seen=breakdown.values_seen(lines, rule=rule, others=others))
    for added in apart.conditions[len(rule.conditions) :]:
        selection = selection.narrowed(added.field, *(added.patterns or ("",)))
    return selection


def _preview(bill: Bill, selection: LineSelection, rule: Rule, others: tuple[Rule, ...]) -> dict[str, Any]:
    """What the rule takes of this bill, and what stands in its way."""
    links = BillLinks(bill, "", may_allocate=True)
    nobody = selection.narrowed(TEAM, "")
    taken = allocation.would_take(rule, among=breakdown.lines_of(bill))
    totals = breakdown.totals_of(breakdown.lines_of(bill, selection=nobody))
    selected, lines = {each.currency: each.cost for each in totals}, sum(each.lines for each in totals)
    other = overlapping(rule, others)
    own = {each.field for each in rule.conditions}
    apart_by = [each.field for each in other.conditions if each.field not in own] if other else []
    return {
        "bill": bill,
        "taken": taken,
        "selected": selected,
        "selected_lines": lines,
        "takes_others": (taken.lines, dict(taken.costs)) != (lines, selected),
        "overlap": other,
        "narrow": [(title_of(name), links.to(nobody, by=name)) for name in apart_by],
        "chips": chips(selection, lambda rest: f"?{rest.address()}"),
        "back": links.deeper(nobody),
        "crumbs": crumbs(bill, "Allocate"),
    }


def _propose(request: HttpRequest, form: AllocationRuleForm, rule: Rule, base: AllocationVersion | None) -> str:
    change = writes.propose_rule(
        rule=form.rule_with(rule.conditions),
        base=base,
        reason=form.cleaned_data["reason"],
        by=user_of(request),
        now=timezone.now(),
    )
    return proposed_text(change)


def _free_name(selection: LineSelection, others: tuple[Rule, ...]) -> str:
    """A name for the rule, from its first values, that no other rule has."""
    words = "-".join(value for _, values in selection.values[:NAMED] for value in values[:1] if value)
    name = slugify(words)[: RULE_ID_CHARS_MAX - 4].strip("-") or "rule"
    taken = {other.id for other in others}
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 2)))
    return next(each for each in names if each not in taken)
