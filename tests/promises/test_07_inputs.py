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

from governance.people.web.fields import LinesField
from governance.site.api.shapes import Input
from reviews.quarterly.web.cycle_forms import ItemIdsField, ReasonField
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
    "operations.PeopleFilterForm.q",
    "operations.TrailFilterForm.q",
    "operations.TrailFilterForm.kind",
    "inventory.ModelFilterForm.q",
    "workflow.RequestFilterForm.q",
    "site.SpecimenFilter.q",
    "site.SpecimenForm.title",
    "site.SpecimenForm.purpose",
    "budgets.AllocationForm.quarter",
    "workflow.FilingForm.served",
    "workflow.FilingForm.sha256",
    "workflow.SubjectFields.served",
    "prices.PriceFilterForm.q",
    "projections.OptionForm.sku",
    "projections.OptionForm.title",
    "projections.OptionForm.training_sku",
    "projections.QuickForm.name",
    "bills.AllocationTrialInput.source",
    "workflow.TrafficForm.month",
    "workloads.WorkloadFilterForm.q",
    "workloads.ClusterRemovalForm.cluster",
    "runs.WorkerForm.account",
}
# Inputs that end as one of a few words, a digest or a secret that is compared: what is refused is not shown again.
NOT_SHOWN = {
    "accounts.CountedActivateTOTP.code",
    "ticket_sync.CredentialForm.credential",
    "ticket_sync.AppForm.client_secret",
    "accounts.CountedAuthenticate.code",
    "accounts.CountedReauthenticate.code",
    "workflow.VoteForm.stage",
    "prices.SourceForm.file",
    "prices.PriceFilters.q",
    "bills.BreakdownFilters.by",
    "bills.BreakdownFilters.currency",
    "site.SpecimenForm.model_file",
    "site.UndoForm.page",
    "site.UndoForm.token",
    "notes.ViewedForm.digest",
    "notes.ViewedInput.digest",
    "quarterly.MeetingEndForm.undecided",
    "workloads.UsageForm.file",
    "workflow.FileAnswerForm.file",
    "workflow.FilingForm.file",
    "workflow.FilingForm.dataset_file",
    "workflow.FilingForm.lineage_file",
    "workflow.SubjectFields.lineage_file",
    "runs.DatasetForm.file",
    "runs.ResultInput.envelope",
    "runs.WorkerForm.public_key",
    "runs.WorkerInput.account",
    "runs.WorkerInput.name",
    "runs.WorkerInput.public_key",
    "budgets.BudgetFilters.quarter",
    "budgets.AllocationInput.quarter",
    "site.ListInput.q",
    "workflow.ReviewFilters.q",
    "inventory.ModelFilters.q",
    "operations.TrailFilters.q",
    "operations.TrailFilters.subject_type",
    "operations.TrailFilters.kind",
    "quarterly.NotesForm.seen",
    "quarterly.NotesInput.seen",
    "workflow.FilingForm.seen",
    "workflow.SubmissionInput.seen",
    "workflow.AnswerInput.seen",
    "workflow.AttestationForm.seen",
    "workflow.ChoiceAnswerForm.seen",
    "workflow.ContradictionForm.seen",
    "workflow.FileAnswerForm.seen",
    "workflow.SeenForm.seen",
    "workflow.TextAnswerForm.seen",
    "workflow.TextInput.seen",
    "workflow.AmendmentInput.dataset",
    "workflow.CopyInput.model_version",
    "workflow.ExchangeInput.model_version",
    "workflow.ReviewInput.model_version",
    "workflow.ReviewInput.dataset",
    "inventory.ModelInput.sha256",
    "feed.GateInput.subject",
    "workflow.MetricValueInput.unit",
    "workflow.VoteInput.stage",
    "workflow.VoteInput.in_place_of",
    "discussions.ThreadInput.about",
    "discussions.ThreadFilters.about",
    "workflow.WaiverInput.rule",
    "budgets.AllocationInput.team",
    "budgets.BudgetChangeInput.team",
    "budgets.BudgetChangeInput.quarter",
    "budgets.BudgetChangeInput.request",
    "budgets.BudgetChangeInput.to_team",
    "budgets.BudgetChangeInput.to_quarter",
    "findings.FindingFilters.kind",
    "bills.RateInput.currency",
    "bills.RateForm.currency",
    "bills.UploadForm.file",
    "projections.SpecForm.file",
    "quarterly.ActualsFileForm.file",
    "quarterly.KpiForm.slug",
    "workflow.CountedInput.month",
    "workflow.TrafficForm.file",
    "quarterly.ActualInput.model",
    "quarterly.ItemInput.model",
    "quarterly.AddForm.model",
    "quarterly.ItemInput.request",
    "workflow.ProjectionInput.option",
    "workflow.ProjectionInput.token",
    "workflow.ProjectionForm.file",
    "workflow.ProjectionForm.link",
    "workflow.ProjectionForm.option",
    "workloads.WorkloadFilters.q",
    "workloads.WorkloadFilters.cluster",
    "workloads.WorkloadFilters.team",
    "workloads.RemovalInput.cluster",
    "workloads.BilledFilters.quarter",
    "workflow.AttestationForm.file",
    "workflow.AttestedForm.file",
    "workflow.ChoiceAnswerForm.file",
    "workflow.FilingForm.manifest",
    "workflow.SubjectFields.manifest",
    "workflow.ImportForm.file",
    "workflow.TextAnswerForm.file",
    "workflow.ImportForm.part",
    "workflow.ImportInput.part",
    "workflow.MetricValueInput.name",
    "workflow.WaiverInput.item",
    "notifications.PreferencesInput.time_zone",
    "notifications.WebhookInput.time_zone",
    "notifications.WebhookChangeInput.time_zone",
    "notifications.WebhookForm.address",
    "notifications.WebhookInput.address",
}
STORED = {
    **dict.fromkeys(
        (
            "notifications.WebhookForm.name",
            "notifications.WebhookChangeForm.name",
            "notifications.WebhookInput.name",
            "notifications.WebhookChangeInput.name",
        ),
        "notifications.TeamWebhook.name",
    ),
    "ticket_sync.AddressForm.name": "tickets.TicketSite.name",
    "ticket_sync.AddressForm.base_url": "tickets.TicketSite.base_url",
    "ticket_sync.CredentialForm.account": "tickets.TicketSite.account",
    "ticket_sync.AppForm.client_id": "tickets.OAuthGrant.client_id",
    "ticket_sync.AccountForm.account_id": "tickets.ExternalIdentity.account_id",
    "workflow.FilingForm.accelerator": "inventory.ModelVersion.document",
    "workflow.FilingForm.server": "inventory.ModelVersion.document",
    "workflow.FilingForm.settings": "inventory.ModelVersion.document",
    "workflow.SubjectFields.accelerator": "inventory.ModelVersion.document",
    "workflow.SubjectFields.server": "inventory.ModelVersion.document",
    "workflow.SubjectFields.settings": "inventory.ModelVersion.document",
    "workflow.FilingForm.image": "inventory.ModelVersion.document",
    "workflow.FilingForm.parameters": "inventory.ModelVersion.document",
    "workflow.FilingForm.parts": "inventory.ModelVersion.document",
    "workflow.FilingForm.platform": "inventory.ModelVersion.document",
    "workflow.FilingForm.provider": "inventory.ModelVersion.document",
    "workflow.FilingForm.provider_model": "inventory.ModelVersion.document",
    "workflow.FilingForm.region": "inventory.ModelVersion.document",
    "workflow.FilingForm.snapshot": "inventory.ModelVersion.document",
    "workflow.SubjectFields.image": "inventory.ModelVersion.document",
    "workflow.SubjectFields.parameters": "inventory.ModelVersion.document",
    "workflow.SubjectFields.parts": "inventory.ModelVersion.document",
    "workflow.SubjectFields.platform": "inventory.ModelVersion.document",
    "workflow.SubjectFields.provider": "inventory.ModelVersion.document",
    "workflow.SubjectFields.provider_model": "inventory.ModelVersion.document",
    "workflow.SubjectFields.region": "inventory.ModelVersion.document",
    "workflow.SubjectFields.snapshot": "inventory.ModelVersion.document",
    "inventory.ModelInput.subject": "inventory.ModelVersion.document",
    "rulebook.RuleForm.formats": "rulebook.PolicyVersion.source",
    "rulebook.RuleForm.kinds": "rulebook.PolicyVersion.source",
    "rulebook.RuleForm.metric": "rulebook.PolicyVersion.source",
    "rulebook.RuleForm.tasks": "rulebook.PolicyVersion.source",
    "workflow.AmendForm.title": "requests.ReviewRequest.title",
    "workflow.AmendForm.business_case": "requests.ReviewRequest.business_case",
    "workflow.AmendForm.reason": "audit.AuditEvent.reason",
    "workflow.AmendmentInput.title": "requests.ReviewRequest.title",
    "workflow.AmendmentInput.business_case": "requests.ReviewRequest.business_case",
    "workflow.AmendmentInput.reason": "audit.AuditEvent.reason",
    "workflow.ExchangeForm.reason": "audit.AuditEvent.reason",
    "workflow.ExchangeInput.reason": "audit.AuditEvent.reason",
    "bills.AllocationRuleForm.reason": "approvals.Change.reason",
    "bills.RulesForm.source": "bills.AllocationVersion.source",
    "bills.RulesInput.source": "bills.AllocationVersion.source",
    "bills.BillInput.cluster": "bills.Bill.cluster",
    "bills.UploadForm.cluster": "bills.Bill.cluster",
    "bills.RateInput.source": "bills.ExchangeRate.source",
    "bills.RateForm.source": "bills.ExchangeRate.source",
    "projections.SpecForm.source": "projections.CostProjection.spec",
    "quarterly.AddForm.title": "quarterly.AgendaItem.title",
    "quarterly.AddForm.reason": "quarterly.AgendaItem.reason",
    "quarterly.ItemInput.title": "quarterly.AgendaItem.title",
    "quarterly.ItemInput.reason": "quarterly.AgendaItem.reason",
    "quarterly.CutOffInput.reason": "audit.AuditEvent.reason",
    "quarterly.NotesInput.notes": "quarterly.ReviewCycle.notes",
    "quarterly.RemovalForm.reason": "quarterly.AgendaItem.removal_reason",
    "quarterly.CutOffForm.reason": "audit.AuditEvent.reason",
    "quarterly.DecisionForm.rationale": "quarterly.MeetingDecision.rationale",
    "quarterly.DecisionInput.rationale": "quarterly.MeetingDecision.rationale",
    "quarterly.NotesForm.notes": "quarterly.ReviewCycle.notes",
    "quarterly.OutcomeForm.outcome": "quarterly.ActionItem.outcome",
    "quarterly.OutcomeInput.outcome": "quarterly.ActionItem.outcome",
    "quarterly.ActualForm.source": "scorecard.KpiActual.source",
    "quarterly.ActualInput.source": "scorecard.KpiActual.source",
    "workflow.TrafficForm.source": "evidence.Traffic.source",
    "workflow.CountedInput.source": "evidence.Traffic.source",
    **dict.fromkeys(("quarterly.KpiForm.data_source", "quarterly.KpiInput.data_source"), "scorecard.Kpi.data_source"),
    **dict.fromkeys(
        ("quarterly.KpiForm.how_estimated", "quarterly.KpiInput.how_estimated"), "scorecard.Kpi.how_estimated"
    ),
    **dict.fromkeys(("quarterly.KpiForm.metric", "quarterly.KpiInput.metric"), "scorecard.Kpi.metric"),
    **dict.fromkeys(("quarterly.KpiForm.name", "quarterly.KpiInput.name"), "scorecard.Kpi.name"),
    **dict.fromkeys(("quarterly.KpiForm.unit", "quarterly.KpiInput.unit"), "scorecard.Kpi.unit"),
    "budgets.AllocationForm.key": "budgets.LedgerEntry.key",
    "budgets.CenterForm.name": "budgets.CostCenter.name",
    "budgets.ChangeForm.reason": "approvals.Change.reason",
    "budgets.AllocationForm.reason": "approvals.Change.reason",
    "budgets.TermsForm.reason": "approvals.Change.reason",
    "operations.CloseForm.note": "findings.Finding.closing_note",
    "budgets.CenterInput.name": "budgets.CostCenter.name",
    "budgets.BudgetChangeInput.reason": "approvals.Change.reason",
    "budgets.AllocationInput.reason": "approvals.Change.reason",
    "budgets.TermsInput.reason": "approvals.Change.reason",
    "findings.ClosingInput.note": "findings.Finding.closing_note",
    **dict.fromkeys(("saved_views.ViewForm.name", "saved_views.SavedViewInput.name"), "saved_views.SavedView.name"),
    **dict.fromkeys(
        ("saved_views.ViewForm.filters", "saved_views.SavedViewInput.filters"), "saved_views.SavedView.filters"
    ),
    "people.GrantForm.reason": "approvals.Change.reason",
    "absences.DeputyForm.reason": "approvals.Change.reason",
    "absences.DeputyInput.reason": "approvals.Change.reason",
    "absences.AbsenceInput.reason": "absences.Absence.reason",
    **dict.fromkeys(("absences.EndingForm.reason", "absences.EndingInput.reason"), "audit.AuditEvent.reason"),
    "people.ReasonForm.reason": "approvals.Change.closing_reason",
    **dict.fromkeys(
        (f"rulebook.RuleForm.{name}" for name in ("environments", "message", "teams", "tiers")),
        "rulebook.PolicyVersion.source",
    ),
    "rulebook.DraftForm.source": "rulebook.PolicyVersion.source",
    "prices.WithdrawalForm.reason": "audit.AuditEvent.reason",
    "runs.ChoiceForm.reason": "runs.SandboxChoice.reason",
    "workflow.StepReasonForm.reason": "audit.AuditEvent.reason",
    "workflow.SeenReasonForm.reason": "voting.VoteWithdrawal.reason",
    "workflow.ExtensionForm.reason": "audit.AuditEvent.reason",
    "workflow.MetricValueForm.source": "evidence.MetricRecord.source",
    "workflow.WaiverForm.reason": "evidence.Waiver.reason",
    "workflow.ContradictionForm.text": "evidence.ContradictionAnswer.text",
    "workflow.TextAnswerForm.text": "evidence.ChecklistAnswer.text",
    "workflow.VoteForm.rationale": "voting.Vote.rationale",
    "workflow.FilingForm.title": "requests.ReviewRequest.title",
    "workflow.FilingForm.purpose": "requests.ReviewRequest.purpose",
    "workflow.FilingForm.business_case": "requests.ReviewRequest.business_case",
    "workflow.FilingForm.name": "inventory.ModelAsset.name",
    "workflow.FilingForm.version": "inventory.ModelVersion.version",
    "workflow.FilingForm.uri": "inventory.ModelVersion.uri",
    "workflow.FilingForm.dataset_name": "runs.Dataset.name",
    "workflow.FilingForm.dataset_license": "runs.Dataset.license",
    "runs.DatasetForm.name": "runs.Dataset.name",
    "runs.DatasetForm.license": "runs.Dataset.license",
    "people.GrantInput.reason": "approvals.Change.reason",
    "people.ChangeReasonInput.reason": "approvals.Change.closing_reason",
    "rulebook.PolicyInput.source": "rulebook.PolicyVersion.source",
    "inventory.ModelInput.name": "inventory.ModelAsset.name",
    "inventory.ModelInput.version": "inventory.ModelVersion.version",
    "inventory.ModelInput.uri": "inventory.ModelVersion.uri",
    "inventory.ModelInput.lineage": "inventory.ModelVersion.lineage",
    "workflow.FilingForm.lineage": "inventory.ModelVersion.lineage",
    "workflow.SubjectFields.lineage": "inventory.ModelVersion.lineage",
    "workflow.RetirementForm.source": "audit.AuditEvent.details",
    "workflow.RetirementForm.reason": "audit.AuditEvent.reason",
    "workflow.RetirementInput.source": "audit.AuditEvent.details",
    "workflow.RetirementInput.reason": "audit.AuditEvent.reason",
    "runs.DatasetInput.name": "runs.Dataset.name",
    "runs.DatasetInput.license": "runs.Dataset.license",
    "runs.SandboxInput.reason": "runs.SandboxChoice.reason",
    "runs.WorkerForm.machine": "runs.Worker.machine",
    "runs.WorkerForm.reason": "approvals.Change.reason",
    "runs.WorkerInput.machine": "runs.Worker.machine",
    "runs.WorkerInput.reason": "approvals.Change.reason",
    "runs.RenewalInput.phase": "runs.Run.phase",
    "runs.FailureInput.reason": "runs.Run.error",
    "runs.HandBackInput.reason": "runs.Run.error",
    "workflow.ReviewInput.title": "requests.ReviewRequest.title",
    "workflow.ReviewInput.purpose": "requests.ReviewRequest.purpose",
    "workflow.ReviewInput.business_case": "requests.ReviewRequest.business_case",
    "workflow.MetricValueInput.source": "evidence.MetricRecord.source",
    "workflow.AnswerInput.text": "evidence.ChecklistAnswer.text",
    "workflow.TextInput.text": "evidence.ContradictionAnswer.text",
    "workflow.VoteInput.rationale": "voting.Vote.rationale",
    **dict.fromkeys(
        ("notes.DraftVoteForm.in_place_of", "notes.DraftVoteInput.in_place_of"), "notes.DraftVote.in_place_of"
    ),
    **dict.fromkeys(("notes.DraftVoteForm.rationale", "notes.DraftVoteInput.rationale"), "notes.DraftVote.rationale"),
    **dict.fromkeys(
        (f"notes.DraftConditionInput.{part}" for part in ("text", "owner", "due_on")), "notes.DraftVote.conditions"
    ),
    "workflow.SeenReasonInput.reason": "voting.VoteWithdrawal.reason",
    **dict.fromkeys(
        (f"discussions.{name}.text" for name in ("CommentForm", "CommentInput", "ThreadInput")),
        "discussions.CommentText.text",
    ),
    "workflow.ConditionInput.text": "authorizations.Condition.text",
    "workflow.WaiverInput.reason": "evidence.Waiver.reason",
    "workflow.ReasonInput.reason": "audit.AuditEvent.reason",
    "workloads.ReportInput.cluster": "workloads.ClusterReport.cluster",
    "workloads.UsageInput.gateway": "workloads.UsageGateway.name",
    "workloads.UsageForm.gateway": "workloads.UsageGateway.name",
    "workloads.ClusterRemovalForm.reason": "audit.AuditEvent.reason",
    "workloads.RemovalInput.reason": "audit.AuditEvent.reason",
    "workflow.ExtensionInput.reason": "audit.AuditEvent.reason",
}

TEXTS = {forms.CharField, forms.FileField, LinesField, ReasonField, ItemIdsField}


def inputs() -> Iterator[str]:
    """ "subject.Class.field" of every text a form or the API takes."""
    for package in map(import_module, PACKAGES):
        for info in walk_packages(package.__path__, f"{package.__name__}."):
            if not {"migrations", "toolkit"} & set(info.name.split(".")):
                import_module(info.name)
    for kind in below(forms.Form):
        texts = (name for name, field in kind.base_fields.items() if type(field) in TEXTS)
        yield from (f"{_short(kind)}.{name}" for name in texts)
    for kind in below(Input):
        for name, field in kind._declared_fields.items():
            is_word = isinstance(field, serializers.SlugField | serializers.SlugRelatedField | serializers.ChoiceField)
            if isinstance(field, serializers.CharField | serializers.JSONField) and not is_word:
                yield f"{_short(kind)}.{name}"


def _short(kind: type[Any]) -> str:
    return f"{kind.__module__.split('.')[1]}.{kind.__name__}"


# Their text is stored in a form of ours: part of a key, or encoded as in an address.
ENCODED = {"budgets.LedgerEntry.key", "saved_views.SavedView.filters"}


def test_every_text_that_is_taken_is_known() -> None:
    assert sorted(set(inputs()) - ECHOED - NOT_SHOWN - set(STORED)) == []
    assert sorted((ECHOED | NOT_SHOWN | set(STORED)) - set(inputs())) == []
    names = {name for name, _, _ in columns()}
    assert sorted(set(STORED.values()) - names) == []
    assert sorted(set(STORED.values()) & set(OURS) - ENCODED) == []


@pytest.fixture
def cast(db: None, now: datetime) -> Cast:
    return make_cast(now=now)


def test_what_is_only_echoed_is_escaped(cast: Cast) -> None:
    """Filters in the address, and forms that are shown again because something in them was refused."""
    asked = [
        ("admin", "/audit/", {"q": SAID, "kind": SAID, "subject_type": SAID}),
        ("admin", "/models/", {"q": SAID, "tier": SAID}),
        ("admin", "/settings/people/", {"q": SAID}),
        ("admin", "/requests/", {"q": SAID, "state": SAID, "team": SAID}),
        ("finance", "/budgets/", {"quarter": SAID}),
        ("admin", "/changes/", {"state": SAID, "page": SAID}),
        ("admin", "/styleguide/", {"q": SAID, "title": SAID}),
        ("author", "/accounts/login/", {"next": SAID}),
        ("author", "/requests/new/", {"model": SAID}),
        ("author", "/prices/", {"q": SAID}),
        ("admin", "/workloads/", {"q": SAID, "cluster": SAID, "approval": SAID}),
        ("author", "/requests/new/", {"title": SAID, "artifact": SAID, "image": SAID, "name": SAID, "version": SAID}),
        (
            "author",
            "/costs/",
            {"name": SAID, "a-title": SAID, "a-sku": SAID, "a-kind": "self-hosted", "b-kind": "none"},
        ),
    ]
    sent = [
        ("finance", "/budgets/", {"quarter": SAID, "team": SAID, "amount": SAID, "key": "k", "unit": SAID}),
        ("author", "/requests/new/", {"title": SAID, "sha256": SAID, "uri": SAID, "name": SAID, "purpose": ""}),
        ("approver", "/rulebook/policies/new/", {"source": SAID}),
        ("admin", "/sandbox/choose/", {"may_skip_bubblewrap": SAID, "reason": ""}),
        ("approver", "/workloads/remove/", {"cluster": SAID, "environment": "dev", "reason": SAID}),
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
