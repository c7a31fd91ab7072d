"""How to call every write of the ground floor and of benchmarking, so that each does something."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.files.base import ContentFile

from benchmarking.prices import actions as prices
from benchmarking.prices.models import PriceSource
from benchmarking.runs.actions import datasets, runs, sandbox
from benchmarking.runs.models import Run
from governance.accounts import actions as accounts
from governance.accounts.domain import Happening
from governance.audit.actions import checkpoints
from governance.budgets.actions import actuals, budget_changes, budgets, cost_centres, quarter_end
from governance.budgets.actions import ledger_entries as bookings
from governance.budgets.actions.rebookings import Wish
from governance.budgets.domain.actuals import Stated
from governance.budgets.domain.budget_changes import Aspect
from governance.budgets.domain.cost_centres import Level
from governance.budgets.domain.ledger import Entry, EntryKind, Mode
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import Unit
from governance.budgets.models import BudgetAccount, CostCentre
from governance.findings import actions as findings
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.inventory.actions import artifacts, inventory
from governance.inventory.models import ModelAsset
from governance.jobs import actions as jobs
from governance.jobs.models import OutboxMessage
from governance.operations import actions as effects
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from governance.rulebook.models import PolicyVersion
from governance.site import actions as answers
from governance.site.models import AnsweredPost
from tests.factories.changes import grant, propose, publish
from tests.factories.models import make_version, npz_bytes, onnx_bytes
from tests.factories.people import Cast, make_person
from tests.factories.requests import allocate_budget, result_of
from tests.unit.toolkit.costs.builders import sheet

Call = Callable[[Cast, datetime], object]
REF = "MRR-2026-0001"
DIGEST = "sha256:" + "ab" * 32
MINUTE = timedelta(minutes=1)
PLAN = {"scenario": "SingleStream", "min_samples": 700}


def home() -> Team:
    return Team.objects.get(slug="search")


def _forgotten(cast: Cast, now: datetime) -> object:
    AnsweredPost.objects.create(user=cast.author, key="k", fingerprint="f", received_at=now - answers.KEPT - MINUTE)
    return answers.forget(now=now)


def _allocated(cast: Cast, now: datetime) -> dict[str, object]:
    allocate_budget(by=cast.finance, now=now, team=home())
    quarter = str(Quarter.of(now.date()))
    return {
        "team": home(),
        "quarter": quarter,
        "amounts": {Unit.USD: Decimal(5)},
        "ref": REF,
        "by": cast.author,
        "now": now,
    }


def _allocate(cast: Cast, now: datetime) -> None:
    budgets.allocate(team=home(), quarter="2026Q4", unit=Unit.USD, amount=Decimal(1), key="k", by=cast.finance, now=now)


def _release(cast: Cast, now: datetime) -> None:
    budgets.reserve(**_allocated(cast, now), key="r")  # type: ignore[arg-type]
    budgets.release(ref=REF, key="x", by=cast.author, now=now)


def _account(cast: Cast, now: datetime) -> BudgetAccount:
    allocate_budget(by=cast.finance, now=now, team=home())
    return BudgetAccount.objects.get(unit="USD")


def _revoked(cast: Cast, now: datetime) -> None:
    budgets.commit(**_allocated(cast, now), key="c")  # type: ignore[arg-type]
    budgets.release_commitment(ref=REF, key="x", by=cast.approver, now=now)


def _booked(cast: Cast, now: datetime, *, how: Callable[..., object], kind: EntryKind, ref: str | None) -> None:
    how(account=_account(cast, now), entry=Entry(kind, Decimal(1), ref, "b"), by=cast.finance, now=now)


def _billed(cast: Cast, now: datetime) -> None:
    stated = Stated(period="2026-10", amount=Decimal(5))
    actuals.book_actual(account=_account(cast, now), stated=stated, key="b", by=None, now=now)


def _changed(cast: Cast, now: datetime) -> Change:
    wish = Wish(aspect=Aspect.AMOUNT, account=_account(cast, now), amount=Decimal(7))
    return budget_changes.propose(wish=wish, reason="Less is needed.", by=cast.approver, now=now)


def _rebooked(cast: Cast, now: datetime) -> None:
    approvals.confirm(change=_changed(cast, now), by=cast.finance, now=now)


def _unit(cast: Cast, now: datetime) -> CostCentre:
    return cost_centres.open_centre(level=Level.UNIT, slug="u", name="U", parent=None, by=cast.finance, now=now)


def _placed(cast: Cast, now: datetime) -> None:
    centre = cost_centres.open_for_team(team=home(), by=cast.finance, now=now)
    cost_centres.place(centre=centre, parent=_unit(cast, now), by=cast.finance, now=now)


def _found(now: datetime) -> Finding:
    said = {"kind": "test", "subject": "s", "text": "t", "severity": Severity.LOW, "key": "k"}
    return findings.raise_once(sighting=findings.Sighting(**said), by=None, now=now)  # type: ignore[arg-type]


def _keep(cast: Cast, now: datetime) -> None:
    artifacts.keep(upload=ContentFile(b"x", name="x"), by=cast.author, now=now)


def _stuck(now: datetime, *, state: str) -> OutboxMessage:
    return OutboxMessage.objects.create(kind="x", key="x", lane="x", state=state, created_at=now, next_attempt_at=now)


def _asset(cast: Cast, now: datetime) -> ModelAsset:
    return inventory.register_asset(
        team="search", slug="ranker", name="Ranker", tier="T3", owner=cast.author, by=cast.author, now=now
    )


def _upload(cast: Cast, now: datetime) -> None:
    upload = ContentFile(onnx_bytes(), name="m.onnx")
    inventory.register_upload(asset=_asset(cast, now), version="1", upload=upload, by=cast.author, now=now)


def _reference(cast: Cast, now: datetime) -> None:
    inventory.register_reference(
        asset=_asset(cast, now), version="1", uri="s3://b/m.onnx", digest=DIGEST, by=cast.author, now=now
    )


def _draft(cast: Cast, now: datetime) -> PolicyVersion:
    return rulebook.draft_policy(source=defaults.text_of(defaults.POLICY), by=cast.approver, now=now)


def _refuse(cast: Cast, now: datetime) -> None:
    change = propose(version=_draft(cast, now), by=cast.approver, now=now)
    approvals.refuse(change=change, reason="Not this quarter.", by=cast.admin, now=now)


def _expire(cast: Cast, now: datetime) -> None:
    change = propose(version=_draft(cast, now), by=cast.approver, now=now)
    assert approvals.expire(now=change.expires_at)


def _grant(cast: Cast, now: datetime) -> None:
    second = make_person("second.admin", Role.ADMIN, now=now)
    grant(user=cast.author, role=Role.REVIEWER, by=second, confirmed_by=cast.admin, now=now)


def _publish(cast: Cast, now: datetime) -> None:
    publish(version=_draft(cast, now), cast=cast, now=now)


def _priced(cast: Cast, now: datetime) -> PriceSource:
    text = json.dumps(sheet(prices=[{"name": "rack-a", "on_demand": "1.25"}]))
    return prices.publish(text=text, by=cast.finance, now=now)


def _queued(cast: Cast, now: datetime) -> Run:
    version = make_version(by=cast.author, now=now)
    return runs.queue(key="r", version=version, dataset=None, plan=PLAN, asked_for="", by=cast.author, now=now)


def _held(cast: Cast, now: datetime) -> Run:
    held = Run.claim(pk=_queued(cast, now).pk, now=now, lease=MINUTE)
    assert held is not None
    return held


def _repeat(cast: Cast, now: datetime) -> None:
    ended = jobs.cancel(row=_queued(cast, now), by=cast.author, now=now)
    runs.repeat(run=ended, by=cast.author, now=now)


def _bury_run(cast: Cast, now: datetime) -> None:
    _held(cast, now)
    Run.objects.update(attempts=3)
    jobs.mark_dead(model=Run, now=now + 2 * MINUTE)


FLOOR_ACTIONS: Mapping[str, Call] = {
    "governance.accounts.actions.note": lambda cast, now: accounts.note(
        happening=Happening.FACTOR_REMOVED, user=cast.author, by=cast.admin, now=now
    ),
    "governance.inventory.actions.artifacts.keep": _keep,
    "governance.budgets.actions.budgets.allocate": _allocate,
    "governance.budgets.actions.budgets.reserve": lambda cast, now: budgets.reserve(**_allocated(cast, now), key="r"),  # type: ignore[arg-type]
    "governance.budgets.actions.budgets.commit": lambda cast, now: budgets.commit(**_allocated(cast, now), key="c"),  # type: ignore[arg-type]
    "governance.budgets.actions.budgets.release": _release,
    "governance.budgets.actions.budgets.allocate_for": lambda cast, now: budgets.allocate_for(
        holder=home(), quarter="2026Q4", unit=Unit.USD, amount=Decimal(1), key="k", by=cast.finance, now=now
    ),
    "governance.budgets.actions.budgets.allocate_to": lambda cast, now: budgets.allocate_to(
        centre=_unit(cast, now), quarter="2026Q4", unit=Unit.USD, amount=Decimal(1), key="k", by=cast.finance, now=now
    ),
    "governance.budgets.actions.budgets.release_commitment": _revoked,
    "governance.budgets.actions.ledger_entries.book": lambda cast, now: _booked(
        cast, now, how=bookings.book, kind=EntryKind.ALLOCATE, ref=None
    ),
    "governance.budgets.actions.ledger_entries.book_given": lambda cast, now: _booked(
        cast, now, how=bookings.book_given, kind=EntryKind.ALLOCATE, ref=None
    ),
    "governance.budgets.actions.ledger_entries.book_planned": lambda cast, now: _booked(
        cast, now, how=bookings.book_planned, kind=EntryKind.PLAN, ref=REF
    ),
    "governance.budgets.actions.ledger_entries.book_checked": lambda cast, now: _booked(
        cast, now, how=bookings.book_checked, kind=EntryKind.RESERVE, ref=REF
    ),
    "governance.budgets.actions.actuals.book_actual": _billed,
    "governance.budgets.actions.quarter_end.close_quarters": lambda cast, now: (
        _account(cast, now),
        quarter_end.close_quarters(now=now + timedelta(days=100)),
    ),
    "governance.budgets.actions.budget_changes.propose": _changed,
    "governance.budgets.actions.cost_centres.open_centre": _unit,
    "governance.budgets.actions.cost_centres.open_for_team": lambda cast, now: cost_centres.open_for_team(
        team=home(), by=cast.finance, now=now
    ),
    "governance.budgets.actions.cost_centres.place": _placed,
    "governance.budgets.actions.cost_centres.set_terms": lambda cast, now: cost_centres.set_terms(
        account=_account(cast, now), mode=Mode.OFF, tolerance_percent=5, by=cast.finance, now=now
    ),
    "governance.findings.actions.raise_once": lambda cast, now: _found(now),
    "governance.findings.actions.assign": lambda cast, now: findings.assign(
        finding=_found(now), owner=cast.author, due_on=now.date(), by=cast.finance, now=now
    ),
    "governance.findings.actions.close": lambda cast, now: findings.close(
        finding=_found(now), note="Done.", by=cast.finance, now=now
    ),
    "governance.findings.actions.settle": lambda cast, now: findings.settle(
        finding=_found(now), note="It holds no more.", now=now
    ),
    "governance.site.actions.forget": _forgotten,
    "governance.people.approvals.actions.propose": _changed,
    "governance.budgets.actions.rebookings.rebook": _rebooked,
    "governance.rulebook.actions.publication.propose_publication": _publish,
    "governance.people.actions.grants.propose_grant": _grant,
    "governance.people.approvals.actions.confirm": _grant,
    "governance.people.approvals.actions.refuse": _refuse,
    "governance.people.approvals.actions.expire": _expire,
    "governance.audit.actions.checkpoints.keep": lambda cast, now: checkpoints.keep(now=now),
    "governance.operations.actions.retry": lambda cast, now: effects.retry(
        message=_stuck(now, state="dead"), by=cast.admin, now=now
    ),
    "governance.operations.actions.resume_all": lambda cast, now: effects.resume_all(by=cast.admin, now=now),
    "governance.operations.actions.request_check": lambda cast, now: effects.request_check(by=cast.admin, now=now),
    "governance.inventory.actions.inventory.register": _reference,
    "governance.inventory.actions.inventory.register_asset": _asset,
    "governance.inventory.actions.inventory.register_upload": _upload,
    "governance.inventory.actions.inventory.register_reference": _reference,
    "governance.people.actions.people.create_team": lambda cast, now: people.create_team(
        slug="maps", name="Maps", by=cast.admin, now=now
    ),
    "governance.people.actions.people.close_account": lambda cast, now: people.close_account(
        user=cast.author, by=cast.admin, now=now
    ),
    "governance.people.actions.people.grant_role": _grant,
    "governance.people.actions.people.revoke_role": lambda cast, now: people.revoke_role(
        user=cast.finance, role=Role.FINANCE, by=cast.admin, now=now
    ),
    "governance.people.actions.people.create_token": lambda cast, now: people.create_token(
        user=cast.author, valid_days=1, by=cast.author, now=now
    ),
    "governance.rulebook.actions.documents.draft_policy": _publish,
    "governance.rulebook.actions.documents.draft_checklist": lambda cast, now: rulebook.draft_checklist(
        source=defaults.text_of(defaults.CHECKLIST), by=cast.admin, now=now
    ),
    "governance.rulebook.actions.documents.publish": _publish,
    "benchmarking.runs.actions.datasets.register": lambda cast, now: datasets.register(
        name="d", upload=ContentFile(npz_bytes(), name="d.npz"), by=cast.author, now=now
    ),
    "benchmarking.prices.actions.publish": _priced,
    "benchmarking.prices.actions.withdraw": lambda cast, now: prices.withdraw(
        source=_priced(cast, now), reason="It ended.", by=cast.finance, now=now
    ),
    "benchmarking.runs.actions.sandbox.choose": lambda cast, now: sandbox.choose(
        may_go_without=True, reason="A container.", by=cast.admin, now=now
    ),
    "benchmarking.runs.actions.runs.queue": _queued,
    "benchmarking.runs.actions.runs.repeat": _repeat,
    "benchmarking.runs.actions.runs.finish": lambda cast, now: runs.finish(
        run=_held(cast, now), result=result_of(), now=now
    ),
}

RUN_JOBS: Mapping[str, Call] = {
    "run.cancelled": lambda cast, now: jobs.cancel(row=_queued(cast, now), by=cast.author, now=now),
    "run.failed": lambda cast, now: jobs.fail(row=_held(cast, now), reason="It crashed.", now=now),
    "run.dead": _bury_run,
}
