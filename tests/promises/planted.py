"""A house in which everything that a person, a model file or Jira can write is a payload.

A new column that holds text is either planted here, or is named in `columns` with what keeps people's words out of it,
or the promise fails.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import yaml
from django.contrib.auth.models import User

from benchmarking.load_tests.models import LoadPart, LoadTest
from benchmarking.prices.models import PriceSource
from benchmarking.projections import actions as projections
from benchmarking.runs.actions import runs
from benchmarking.runs.models import Dataset, Run, SandboxChoice
from governance.absences.actions import absences
from governance.budgets.actions import budget_changes
from governance.budgets.actions.rebookings import Rebooking
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.models import CostCenter, LedgerEntry
from governance.findings import actions as findings
from governance.findings.models import Finding
from governance.inventory.models import ModelAsset, ModelVersion
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.actions import grants
from governance.people.approvals import actions as approvals
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.actions import publication
from governance.rulebook.domain import defaults
from governance.rulebook.domain.metric_catalogs import catalog_document
from governance.saved_views.actions import save_view
from governance.site.models import AnsweredPost
from reviews.evidence.models import (
    ChecklistAnswer,
    ContradictionAnswer,
    MetricRecord,
    Traffic,
    Waiver,
)
from reviews.notes.domain.draft_votes import DraftCondition, VoteDraft
from reviews.notes.models import DraftVote
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.quarterly.actions import quarterly_packets
from reviews.quarterly.models import ActionItem, AgendaItem, CyclePacket, MeetingDecision, ReviewCycle
from reviews.requests.models import ReviewRequest
from reviews.scorecard.models import Kpi, KpiActual
from reviews.tickets.models import (
    ExternalIdentity,
    OAuthGrant,
    Ticket,
    TicketComment,
    TicketMove,
    TicketSite,
    TicketState,
    WebhookDelivery,
)
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import evidence, review
from reviews.workflow.actions import projections as stated
from reviews.workflow.actions.evidence import StatedValue
from reviews.workflow.actions.review import NewCondition
from tests.factories import cycles
from tests.factories import requests as walks
from tests.factories.absences import days
from tests.factories.costs import cost_spec
from tests.factories.discussions import make_comment
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast
from tests.factories.policies import LEAN
from tests.factories.tickets import make_route, make_site
from tests.factories.workers import make_worker
from tests.promises.payloads import Seeds
from tests.promises.planted_imports import plant_bills, plant_from_elsewhere, plant_usage, plant_workloads
from tests.promises.planted_notices import plant_notices
from weighbridge.core.converter import to_document
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD


@dataclass(frozen=True)
class House:
    """What stands in it."""

    cast: Cast
    request: ReviewRequest
    packet: Packet


def publish_rules(seed: Seeds, *, now: datetime) -> None:
    """Policy and checklist in force whose words are payloads."""
    checklist = yaml.safe_load(defaults.text_of(defaults.CHECKLIST))
    checklist["title"] = seed.short()
    for item in checklist["items"]:
        item |= {"title": seed.short(), "help": seed.long()}
    policy = yaml.safe_load(LEAN)
    for rule in policy["rules"]:
        rule["message"] = seed.long()
    for stage in policy["stages"]:
        stage["title"] = seed.short()
    catalog = catalog_document(STANDARD)
    catalog["title"] = seed.short()
    entry = catalog["metrics"][0]
    catalog["metrics"].append(entry | {"name": "own_metric", "label": seed.short()[:60], "meaning": seed.long()[:300]})
    writes = (
        (rulebook.draft_catalog, catalog),
        (rulebook.draft_checklist, checklist),
        (rulebook.draft_policy, policy),
    )
    for write, document in writes:
        draft = write(source=yaml.safe_dump(document, sort_keys=False, width=10_000), by=None, now=now)
        rulebook.publish(version=draft, by=None, now=now)


def plant(seed: Seeds, *, cast: Cast, now: datetime) -> House:
    """Walk one request the whole way, every word of it a payload, and write everything beside it."""
    for user in cast.everybody():
        User.objects.filter(pk=user.pk).update(first_name=seed.short(), last_name=seed.short(), email=seed.short())
        user.refresh_from_db()
    publish_rules(seed, now=now)
    Team.objects.filter(slug="search").update(name=seed.short())
    request = _walked(seed, cast=cast, now=now)
    make_worker(cast=cast, now=now, machine=seed.short()[:200])
    _beside(seed, request, cast=cast, now=now)
    plant_bills(seed, cast=cast, now=now)
    plant_from_elsewhere(seed, request, cast=cast, now=now)
    plant_workloads(seed, cast=cast, now=now)
    plant_usage(seed, cast=cast, now=now)
    _from_jira(seed, request, cast=cast, now=now)
    _quarterly(seed, request, cast=cast, now=now)
    packets.freeze(request=request, by=cast.author, now=now)
    packet = packets.freeze(request=request, by=cast.author, now=now)
    Packet.objects.exclude(pk=packet.pk).update(error=seed.long(), state=JobState.FAILED)
    return House(cast, request, packet)


def _walked(seed: Seeds, *, cast: Cast, now: datetime) -> ReviewRequest:
    version = make_version(by=cast.author, now=now)
    ModelAsset.objects.update(name=seed.short())
    lineage = [{"relation": "base_model", "name": seed.short(), "version": seed.short()}]
    ModelVersion.objects.update(version=seed.short(), uri=f"https://models.test/{seed.short()}", lineage=lineage)
    draft = walks.make_draft(
        by=cast.author,
        now=now,
        title=seed.short(),
        purpose=seed.short(),
        with_data=False,
        version=ModelVersion.objects.get(pk=version.pk),
        declared={**walks.DECLARED, "latency_p95_ms": "1"},
    )
    data = make_dataset(by=cast.author, now=now, name=seed.short(), license=seed.short())
    ReviewRequest.objects.update(business_case=seed.long(), dataset=data)
    draft.refresh_from_db()
    figure = StatedValue(
        name="total_cost_1y_usd", value=Decimal(30_000), unit="USD", basis=Basis.DECLARED, source=seed.long()[:300]
    )
    evidence.state_metric_value(request=draft, statement=figure, by=cast.author, now=now)
    _project(seed, draft, cast=cast, now=now)
    request = walks.requests.submit(request=draft, by=cast.author, now=now)
    result = walks.result_of(verdict="indicative", reasons=(seed.long(),))
    result["manifest"] |= {"machine": {"cpu": seed.short()}, seed.short(): seed.long(), "isolation": seed.short()}
    drawn = {
        "title": seed.short(),
        "alt": seed.short(),
        "svg": f"<svg xmlns='http://www.w3.org/2000/svg'>{seed.long()}</svg>",
    }
    result["charts"] = [{"name": "frontier", **drawn}, {"name": seed.short(), **drawn}]
    walks.take_results(request=request, now=now, result=result)
    for item in ("cheaper-alternatives", "owner-and-rollback"):
        evidence.answer_item(request=request, item_id=item, text=seed.long(), by=cast.author, now=now)
    evidence.answer_item(request=request, item_id="rollback-rehearsed", is_attested=True, by=cast.author, now=now)
    measured = MetricRecord.objects.filter(name="latency_p95_ms", basis="measured").latest("pk")
    claimed = MetricRecord.objects.filter(name="latency_p95_ms", basis="declared").latest("pk")
    ContradictionAnswer.objects.create(
        request=request, claimed=claimed, measured=measured, text=seed.long(), answered_by=cast.author, answered_at=now
    )
    walks.explain_everything(request=request, by=cast.author, now=now)
    walks.allocate_budget(team=request.team, by=cast.finance, now=now)
    review.request_review(request=request, by=cast.author, now=now)
    first = {"request": request, "stage_id": "technical", "choice": VoteChoice.APPROVE, "by": cast.reviewer_one}
    review.vote(**first, rationale=seed.long(), now=now)
    review.take_back(request=request, reason=seed.long()[:2000], by=cast.reviewer_one, now=now)
    for about in ("", "metric:latency_p95_ms"):
        make_comment(request, seed.long()[:4000], by=cast.author, now=now, about=about)
    promise = NewCondition(text=seed.long()[:400], owner=cast.author, due_on=now.date() + timedelta(days=30))
    votes = ((cast.reviewer_one, "technical", ()), (cast.reviewer_two, "technical", ()))
    for person, stage, promises in (*votes, (cast.approver, "gpu-budget", (promise,))):
        review.vote(
            request=request,
            stage_id=stage,
            choice=VoteChoice.APPROVE,
            rationale=seed.long(),
            conditions=promises,
            by=person,
            now=now,
        )
    request.refresh_from_db()
    draft = VoteDraft(rationale=seed.long(), conditions=(DraftCondition(text=seed.long()[:400]),))
    given = to_document(draft) | {"revision": request.revision, "saved_at": now, "in_place_of": seed.short()}
    DraftVote.objects.create(request=request, person=cast.reviewer_one, **given)
    return request


def _project(seed: Seeds, draft: ReviewRequest, *, cast: Cast, now: datetime) -> None:
    """Costs of the draft, every word of the spec a payload."""
    spec = cost_spec(name=seed.short())
    for option in spec["options"]:
        option |= {"id": seed.short(), "title": seed.short()}
    spec["options"][0]["serving"]["usd_per_replica_h"]["source"] = seed.long()
    kept = projections.project_and_store(spec=spec, by=cast.author, now=now)
    stated.state(request=draft, projection=kept, option=spec["options"][0]["id"], by=cast.author, now=now)


def _beside(seed: Seeds, request: ReviewRequest, *, cast: Cast, now: datetime) -> None:
    """What goes wrong, what waits, and what administrators write."""
    plan = {"scenario": "SingleStream", "min_samples": 100}
    run = runs.queue(
        key="f",
        version=request.model_version,
        dataset=Dataset.objects.get(),
        plan=plan,
        asked_for=request.ref,
        by=cast.author,
        now=now,
    )
    held = Run.claim(pk=run.pk, now=now, lease=timedelta(hours=1))
    assert held is not None
    held.renew(now=now, lease=timedelta(hours=1), state=JobState.RUNNING, progress=0.4, phase=seed.short())
    jobs.fail(row=held, reason=seed.long(), now=now)
    differs = {"condition": seed.short(), "then": seed.short(), "now": seed.long()}
    told = {"answer": "cannot_tell", "margin": 0.1, "reasons": [seed.long()], "metrics": [], "differences": [differs]}
    Run.objects.filter(state=JobState.DONE).update(repeats=run, equivalence=told)
    test = LoadTest.objects.create(
        key=seed.short(),
        plan={"url": seed.link()},
        target={"url": seed.link()},
        size=1,
        state=JobState.FAILED,
        error=seed.long(),
        result={"answer": seed.long()},
        started_by=cast.approver,
        created_at=now,
        finished_at=now,
    )
    LoadPart.objects.create(
        test=test,
        number=0,
        state=JobState.FAILED,
        error=seed.long(),
        phase=seed.short(),
        told={"said": seed.long()},
        created_at=now,
        next_attempt_at=now,
        finished_at=now,
    )
    SandboxChoice.objects.create(
        may_skip_bubblewrap=False, reason=seed.long()[:400], chosen_by=cast.admin, chosen_at=now
    )
    row = {"name": f"<svg-onload=fetch('{seed.url.rpartition('/')[2]}')>", "on_demand": "1.25", "note": seed.long()}
    sheet = {
        "apiVersion": "weighbridge/v1",
        "kind": "PriceSheet",
        "name": seed.short(),
        "source": seed.long(),
        "as_of": now.date().isoformat(),
        "provider": "aws",
        "prices": [row],
    }
    PriceSource.objects.create(
        kind="list", name=sheet["name"], content=json.dumps(sheet), published_by=cast.finance, published_at=now
    )
    for state in (JobState.PAUSED, JobState.DEAD):
        OutboxMessage.objects.create(
            kind="ticket.open",
            key=f"k{state}",
            lane=f"l{state}",
            state=state,
            error=seed.long(),
            created_at=now,
            payload={"reason": seed.long()},
            next_attempt_at=now,
            finished_at=now,
        )
    grant = grants.propose_grant(user=cast.author, role=Role.REVIEWER, reason=seed.long(), by=cast.admin, now=now)
    approvals.refuse(change=grant, reason=seed.long(), by=cast.admin, now=now)
    plant_notices(seed, team=request.team, cast=cast, now=now)
    save_view(
        list_name="reviews:list", name=seed.short(), filters=urlencode({"q": seed.short()}), by=cast.author, now=now
    )
    absences.state_absence(person=cast.product, period=days(now), reason=seed.long(), by=cast.approver, now=now)
    draft = rulebook.draft_policy(source=defaults.text_of(defaults.POLICY), by=cast.approver, now=now)
    publication.propose_publication(version=draft, reason=seed.long(), by=cast.approver, now=now)
    Waiver.objects.create(
        request=request,
        rule_id="accuracy-floor",
        reason=seed.long(),
        granted_by=cast.approver,
        granted_at=now,
        expires_at=now + timedelta(days=9),
    )
    ChecklistAnswer.objects.create(
        request=request,
        item="data-sheet",
        file_name=seed.short(),
        file_digest="sha256:" + "a" * 64,
        answered_by=cast.author,
        answered_at=now,
    )
    entry = LedgerEntry.objects.exclude(kind="plan").latest("pk")
    LedgerEntry.objects.create(
        account=entry.account,
        kind="allocate",
        amount=1,
        key=seed.short(),
        note=seed.long()[:200],
        booked_at=now,
        booked_by=cast.finance,
    )
    center, account = entry.account.center, entry.account
    CostCenter.objects.filter(pk=center.pk).update(name=seed.short())
    wish = Rebooking(aspect=Aspect.AMOUNT, account=account, amount=Decimal(900000))
    change = budget_changes.propose(wish=wish, reason=seed.long(), by=cast.author, now=now)
    approvals.refuse(change=change, reason=seed.long(), by=cast.finance, now=now)
    found = Finding.objects.create(
        kind="budget.overrun", subject=seed.short(), text=seed.long(), severity="high", key="k", opened_at=now
    )
    findings.close(finding=found, note=seed.long(), by=cast.finance, now=now)
    AnsweredPost.objects.create(user=cast.author, key=seed.short(), fingerprint="f", received_at=now)


def _from_jira(seed: Seeds, request: ReviewRequest, *, cast: Cast, now: datetime) -> None:
    """What people write there, and what a Jira that lies could answer."""
    site = make_site(now=now, name=seed.short(), server=seed.short(), account=seed.short(), url=seed.link())
    steps = [{"name": seed.short(), "ok": False, "sentence": seed.long()}]
    TicketSite.objects.filter(pk=site.pk).update(steps=steps, version=seed.short()[:40])
    at_atlassian = {"client_id": site.account[:100], "cloud_id": site.account[:40]}
    tokens = {"access_token": b"of no use", "refresh_token": b"of no use", "expires_at": now}
    OAuthGrant.objects.create(site=site, **at_atlassian, **tokens)
    mapped = {
        "fields": {seed.short(): seed.long()},
        "field_map": {"reference": {"id": seed.short(), "kind": "string"}},
        "statuses": {"submitted": seed.short()},
        "moves": {seed.short(): "withdraw"},
    }
    make_route(site, project=seed.short()[:40], issue_type=seed.short(), work="review", **mapped)
    ticket, _ = Ticket.objects.update_or_create(
        request=request,
        defaults={
            "site": site,
            "state": TicketState.LINKED,
            "remote_id": seed.short()[:40],
            "key": seed.short()[:40],
            "url": seed.link(),
            "status": seed.short(),
            "label": "label",
            "linked_at": now,
        },
    )
    TicketComment.objects.create(
        ticket=ticket,
        remote_id=seed.short()[:40],
        author_id=seed.short(),
        author=seed.short(),
        text=seed.long(),
        created_at=now,
        updated_at=now,
    )
    TicketMove.objects.create(
        ticket=ticket,
        remote_id=seed.short()[:40],
        author_id=seed.short(),
        author=seed.short(),
        status=seed.short(),
        moved_at=now,
        meaning="none",
        outcome="noted",
        reason=seed.long(),
        judged_at=now,
    )
    WebhookDelivery.objects.create(
        ticket=ticket, identifier=seed.short(), event=seed.short(), body_digest="sha256:x", received_at=now
    )
    ExternalIdentity.objects.create(site=site, user=cast.author, account_id=seed.short())


def _quarterly(seed: Seeds, request: ReviewRequest, *, cast: Cast, now: datetime) -> None:
    """A held meeting that decided something, and the scorecard before it."""
    asset, meeting = request.model_version.asset, cycles.make_held(cast=cast, now=now)
    ReviewCycle.objects.filter(pk=meeting.pk).update(notes=seed.long(), minutes=seed.long())
    fields = {
        "cycle": meeting,
        "kind": "added",
        "title": seed.long()[:400],
        "reason": seed.long(),
        "position": 10,
        "asset": asset,
        "request": request,
        "added_by": cast.approver,
        "added_at": now,
    }
    item = AgendaItem.objects.create(subject=seed.short(), **fields)
    AgendaItem.objects.create(
        subject=seed.short(), removed_at=now, removed_by=cast.approver, removal_reason=seed.long(), **fields
    )
    decision = MeetingDecision.objects.create(
        item=item,
        kind="keep",
        rationale=seed.long(),
        owner=cast.author,
        due_on=now.date(),
        effect=seed.long(),
        decided_by=cast.approver,
        decided_at=now,
    )
    ActionItem.objects.create(
        decision=decision,
        ref="ACT-1",
        owner=cast.author,
        due_on=now.date(),
        state="done",
        opened_at=now,
        outcome=seed.long(),
        closed_at=now,
        closed_by=cast.author,
    )
    kpi = Kpi.objects.create(
        asset=asset,
        slug="conversion",
        name=seed.short(),
        metric=seed.short(),
        unit=seed.short(),
        better="higher",
        target=1,
        owner=cast.author,
        data_source=seed.short(),
        how_estimated=seed.long(),
        set_by=cast.author,
        set_at=now,
    )
    KpiActual.objects.create(
        kpi=kpi,
        quarter=meeting.quarter,
        value=1,
        target=1,
        channel="form",
        source=seed.short(),
        supplied_by=cast.author,
        supplied_at=now,
    )
    Traffic.objects.create(
        request=ReviewRequest.objects.earliest("pk"),
        month=now.date().replace(day=1),
        requests=1,
        channel="form",
        source=seed.short(),
        supplied_by=cast.author,
        supplied_at=now,
    )
    packet = quarterly_packets.issue(cycle=meeting, by=cast.approver, now=now)
    CyclePacket.objects.filter(pk=packet.pk).update(error=seed.long(), state=JobState.FAILED)
