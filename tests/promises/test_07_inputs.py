"""Promise 7: every text that a form or the API takes is known, with where its words go; what is only echoed is escaped.

Where the words are stored, `test_07_every_field` plants that very column. A new input that is not named here fails.
"""

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from django import forms
from rest_framework import serializers

from governance.site.api.shapes import Input
from tests.edges import below
from tests.factories.people import Cast, make_cast
from tests.integration.conftest import installation, now, signing_key_pem
from tests.promises.columns import OURS, columns
from tests.promises.reading import Page, entered
from tests.tables import PACKAGES

__all__ = ["installation", "now", "signing_key_pem"]
URL = "http://127.0.0.1:9"
SAID = f"\"><img src={URL}/echo><svg onload=fetch('{URL}/echo')>"

# Inputs whose words are looked up or compared and stand on the answer alone, escaped there (see the test of echoes).
ECHOED = {
    "trail.FilterForm.q",
    "trail.FilterForm.kind",
    "models.FilterForm.q",
    "lists.FilterForm.q",
    "styleguide.SpecimenFilter.q",
    "styleguide.SpecimenForm.title",
    "styleguide.SpecimenForm.purpose",
    "budget_forms.AllocationForm.quarter",
    "filing_forms.FilingForm.sha256",
    "prices.FilterForm.q",
    "costs_forms.OptionForm.sku",
    "costs_forms.OptionForm.title",
    "costs_forms.OptionForm.training_sku",
    "costs_forms.QuickForm.name",
    "bill_inputs.AllocationTrialInput.source",
    "costs_forms.TrafficForm.month",
}
# Inputs that end as one of a few words, a digest or a secret that is compared: what is refused is not shown again.
NOT_SHOWN = {
    "account_events.NotedAuthenticate.code",
    "account_events.NotedReauthenticate.code",
    "step_forms.VoteForm.stage",
    "prices.SourceForm.file",
    "inputs.PriceFilters.q",
    "styleguide.SpecimenForm.model_file",
    "step_forms.FileAnswerForm.file",
    "filing_forms.FilingForm.file",
    "filing_forms.FilingForm.dataset_file",
    "inputs.BudgetFilters.quarter",
    "inputs.AllocationInput.quarter",
    "inputs.ListInput.q",
    "inputs.ReviewFilters.q",
    "inputs.ModelFilters.q",
    "inputs.TrailFilters.q",
    "inputs.TrailFilters.subject_type",
    "inputs.TrailFilters.kind",
    "inputs.ReviewInput.model_version",
    "inputs.ReviewInput.dataset",
    "inputs.ModelInput.sha256",
    "inputs.GateInput.subject",
    "inputs.FactInput.unit",
    "inputs.VoteInput.stage",
    "inputs.WaiverInput.rule",
    "inputs.AllocationInput.team",
    "inputs.BudgetChangeInput.team",
    "inputs.BudgetChangeInput.quarter",
    "inputs.BudgetChangeInput.request",
    "inputs.BudgetChangeInput.to_team",
    "inputs.BudgetChangeInput.to_quarter",
    "inputs.FindingFilters.kind",
    "bill_inputs.RateInput.currency",
    "bills.RateForm.currency",
    "bills.UploadForm.file",
    "costs_forms.SpecForm.file",
    "cycle_forms.ActualForm.kpi",
    "cycle_forms.ActualForm.model",
    "cycle_forms.ActualsFileForm.file",
    "cycle_forms.KpiForm.slug",
    "costs.CountedInput.month",
    "costs_forms.TrafficForm.file",
    "cycles.ActualInput.model",
    "agenda.ItemInput.model",
    "agenda.ItemInput.request",
    "inputs.ProjectionInput.option",
    "inputs.ProjectionInput.token",
    "step_forms.ProjectionForm.file",
    "step_forms.ProjectionForm.link",
    "step_forms.ProjectionForm.option",
}
STORED = {
    "allocation.RulesForm.source": "bills.AllocationVersion.source",
    "bill_inputs.RulesInput.source": "bills.AllocationVersion.source",
    "bill_inputs.BillInput.cluster": "bills.Bill.cluster",
    "bills.UploadForm.cluster": "bills.Bill.cluster",
    "bill_inputs.RateInput.source": "bills.ExchangeRate.source",
    "bills.RateForm.source": "bills.ExchangeRate.source",
    "costs_forms.SpecForm.source": "projections.CostProjection.spec",
    "cycle_forms.AddForm.title": "quarterly.AgendaItem.title",
    "cycle_forms.AddForm.why": "quarterly.AgendaItem.why",
    "agenda.ItemInput.title": "quarterly.AgendaItem.title",
    "agenda.ItemInput.why": "quarterly.AgendaItem.why",
    "agenda.CutOffInput.reason": "audit.AuditEvent.reason",
    "agenda.NotesInput.notes": "quarterly.ReviewCycle.notes",
    "cycle_forms.RemovalForm.reason": "quarterly.AgendaItem.removal_reason",
    "cycle_forms.CutOffForm.reason": "audit.AuditEvent.reason",
    "cycle_forms.DecisionForm.rationale": "quarterly.MeetingDecision.rationale",
    "cycles.DecisionInput.rationale": "quarterly.MeetingDecision.rationale",
    "cycle_forms.NotesForm.notes": "quarterly.ReviewCycle.notes",
    "cycle_forms.OutcomeForm.outcome": "quarterly.ActionItem.outcome",
    "action_items.OutcomeInput.outcome": "quarterly.ActionItem.outcome",
    "cycle_forms.ActualForm.source": "scorecard.KpiActual.source",
    "cycles.ActualInput.source": "scorecard.KpiActual.source",
    "costs_forms.TrafficForm.source": "evidence.Traffic.source",
    "costs.CountedInput.source": "evidence.Traffic.source",
    **dict.fromkeys(("cycle_forms.KpiForm.data_source", "cycles.KpiInput.data_source"), "scorecard.Kpi.data_source"),
    **dict.fromkeys(
        ("cycle_forms.KpiForm.how_estimated", "cycles.KpiInput.how_estimated"), "scorecard.Kpi.how_estimated"
    ),
    **dict.fromkeys(("cycle_forms.KpiForm.metric", "cycles.KpiInput.metric"), "scorecard.Kpi.metric"),
    **dict.fromkeys(("cycle_forms.KpiForm.name", "cycles.KpiInput.name"), "scorecard.Kpi.name"),
    **dict.fromkeys(("cycle_forms.KpiForm.unit", "cycles.KpiInput.unit"), "scorecard.Kpi.unit"),
    "budget_forms.AllocationForm.key": "budgets.LedgerEntry.key",
    "budget_forms.CentreForm.name": "budgets.CostCentre.name",
    "budget_forms.ChangeForm.reason": "approvals.Change.reason",
    "findings.CloseForm.note": "findings.Finding.closing_note",
    "inputs.CentreInput.name": "budgets.CostCentre.name",
    "inputs.BudgetChangeInput.reason": "approvals.Change.reason",
    "inputs.ClosingInput.note": "findings.Finding.closing_note",
    "grants.GrantForm.reason": "approvals.Change.reason",
    "reasons.ReasonForm.reason": "approvals.Change.closing_reason",
    **dict.fromkeys(
        (f"policy_form.RuleForm.{name}" for name in ("environments", "message", "teams", "tiers")),
        "rulebook.PolicyVersion.source",
    ),
    "policies.DraftForm.source": "rulebook.PolicyVersion.source",
    "prices.WithdrawalForm.reason": "audit.AuditEvent.reason",
    "sandbox.ChoiceForm.reason": "runs.SandboxChoice.reason",
    "step_forms.ReasonForm.reason": "audit.AuditEvent.reason",
    "step_forms.FigureForm.source": "evidence.Fact.source",
    "step_forms.WaiverForm.reason": "evidence.Waiver.reason",
    "step_forms.ContradictionForm.text": "evidence.ContradictionAnswer.text",
    "step_forms.TextAnswerForm.text": "evidence.ChecklistAnswer.text",
    "step_forms.VoteForm.rationale": "voting.Vote.rationale",
    "filing_forms.FilingForm.title": "requests.ReviewRequest.title",
    "filing_forms.FilingForm.purpose": "requests.ReviewRequest.purpose",
    "filing_forms.FilingForm.business_case": "requests.ReviewRequest.business_case",
    "filing_forms.FilingForm.name": "inventory.ModelAsset.name",
    "filing_forms.FilingForm.version": "inventory.ModelVersion.version",
    "filing_forms.FilingForm.uri": "inventory.ModelVersion.uri",
    "filing_forms.FilingForm.dataset_name": "runs.Dataset.name",
    "inputs.GrantInput.reason": "approvals.Change.reason",
    "inputs.ChangeReasonInput.reason": "approvals.Change.closing_reason",
    "inputs.PolicyInput.source": "rulebook.PolicyVersion.source",
    "inputs.ModelInput.name": "inventory.ModelAsset.name",
    "inputs.ModelInput.version": "inventory.ModelVersion.version",
    "inputs.ModelInput.uri": "inventory.ModelVersion.uri",
    "inputs.DatasetInput.name": "runs.Dataset.name",
    "inputs.SandboxInput.reason": "runs.SandboxChoice.reason",
    "inputs.ReviewInput.title": "requests.ReviewRequest.title",
    "inputs.ReviewInput.purpose": "requests.ReviewRequest.purpose",
    "inputs.ReviewInput.business_case": "requests.ReviewRequest.business_case",
    "inputs.FactInput.source": "evidence.Fact.source",
    "inputs.AnswerInput.text": "evidence.ChecklistAnswer.text",
    "inputs.TextInput.text": "evidence.ContradictionAnswer.text",
    "inputs.VoteInput.rationale": "voting.Vote.rationale",
    "inputs.ConditionInput.text": "authorizations.Condition.text",
    "inputs.WaiverInput.reason": "evidence.Waiver.reason",
    "inputs.ReasonInput.reason": "audit.AuditEvent.reason",
}


def inputs() -> Iterator[str]:
    """ "module.Class.field" of every text a form or the API takes."""
    for package in map(import_module, PACKAGES):
        for info in walk_packages(package.__path__, f"{package.__name__}."):
            if not {"migrations", "toolkit"} & set(info.name.split(".")):
                import_module(info.name)
    for kind in below(forms.Form):
        texts = (name for name, field in kind.base_fields.items() if type(field) in {forms.CharField, forms.FileField})
        yield from (f"{_short(kind)}.{name}" for name in texts)
    for kind in below(Input):
        for name, field in kind._declared_fields.items():
            is_word = isinstance(field, serializers.SlugField | serializers.SlugRelatedField | serializers.ChoiceField)
            if isinstance(field, serializers.CharField | serializers.JSONField) and not is_word:
                yield f"{_short(kind)}.{name}"


def _short(kind: type[Any]) -> str:
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


def test_every_text_that_is_taken_is_known() -> None:
    assert sorted(set(inputs()) - ECHOED - NOT_SHOWN - set(STORED)) == []
    assert sorted((ECHOED | NOT_SHOWN | set(STORED)) - set(inputs())) == []
    names = {name for name, _, _ in columns()}
    assert sorted(set(STORED.values()) - names) == []
    assert sorted(set(STORED.values()) & set(OURS) - {"budgets.LedgerEntry.key"}) == []


@pytest.fixture
def cast(db: None, now: datetime) -> Cast:
    return make_cast(now=now)


def test_what_is_only_echoed_is_escaped(cast: Cast) -> None:
    """Filters in the address, and forms that are shown again because something in them was refused."""
    asked = [
        ("admin", "/audit/", {"q": SAID, "kind": SAID, "subject_type": SAID}),
        ("admin", "/models/", {"q": SAID, "tier": SAID}),
        ("admin", "/requests/", {"q": SAID, "state": SAID, "team": SAID}),
        ("finance", "/budgets/", {"quarter": SAID}),
        ("admin", "/changes/", {"state": SAID, "page": SAID}),
        ("admin", "/styleguide/", {"q": SAID, "title": SAID}),
        ("author", "/accounts/login/", {"next": SAID}),
        ("author", "/requests/new/", {"model": SAID}),
        ("author", "/prices/", {"q": SAID}),
        (
            "author",
            "/costs/",
            {"name": SAID, "a-title": SAID, "a-sku": SAID, "a-kind": "self-hosted", "b-kind": "none"},
        ),
    ]
    sent = [
        ("finance", "/budgets/", {"quarter": SAID, "team": SAID, "amount": SAID, "key": "k", "unit": SAID}),
        ("author", "/requests/new/", {"title": SAID, "sha256": SAID, "uri": SAID, "name": SAID, "purpose": ""}),
        ("approver", "/policy/policies/new/", {"source": SAID}),
        ("admin", "/runs/sandbox/choose/", {"may_go_without": SAID, "reason": ""}),
        ("author", "/accounts/password/change/", {"oldpassword": SAID, "password1": SAID}),
    ]
    echoed = 0
    for method, calls in (("get", asked), ("post", sent)):
        for person, path, words in calls:
            answer = getattr(entered(getattr(cast, person)), method)(path, words, follow=True)
            assert answer.status_code < 500, path
            page = Page(answer.content.decode(), url=URL)
            assert page.faults == [], path
            echoed += "&lt;img src=" in answer.content.decode()
    assert echoed >= 6, "most of them show what was asked"
