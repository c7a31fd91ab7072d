"""How to call every write of the ground floor and of benchmarking, so that each does something."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.files.base import ContentFile

from benchmarking.actions import datasets, prices, runs, sandbox
from benchmarking.models import PriceSource, Run
from governance.actions import (
    accounts,
    actuals,
    answers,
    artifacts,
    bookings,
    budget_changes,
    budgets,
    changes,
    checkpoints,
    cost_centres,
    effects,
    findings,
    inventory,
    people,
    quarter_end,
    rulebook,
)
from governance.domain import defaults
from governance.domain.accounts import Happening
from governance.domain.actuals import Stated
from governance.domain.budget_changes import Aspect
from governance.domain.cost_centres import Level
from governance.domain.ledger import Entry, EntryKind, Mode
from governance.domain.quarters import Quarter
from governance.domain.roles import Role
from governance.enums import Severity, Unit
from governance.models import (
    AnsweredPost,
    BudgetAccount,
    BudgetChange,
    CostCentre,
    Finding,
    ModelAsset,
    OutboxMessage,
    PolicyVersion,
    Team,
)
from tests.factories.changes import grant, propose, publish
from tests.factories.models import make_version, npz_bytes, onnx_bytes
from tests.factories.people import Cast, make_person
from tests.factories.requests import allocate_budget, result_of
from tests.unit.benchmarking.toolkit.costs.prices.builders import sheet

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


def _changed(cast: Cast, now: datetime) -> BudgetChange:
    wish = budget_changes.Wish(aspect=Aspect.AMOUNT, account=_account(cast, now), amount=Decimal(7))
    return budget_changes.propose(wish=wish, reason="Less is needed.", by=cast.approver, now=now)


def _lapsed(cast: Cast, now: datetime) -> None:
    assert budget_changes.expire(now=_changed(cast, now).expires_at)


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
    changes.refuse(change=change, reason="Not this quarter.", by=cast.admin, now=now)


def _expire(cast: Cast, now: datetime) -> None:
    change = propose(version=_draft(cast, now), by=cast.approver, now=now)
    assert changes.expire(now=change.expires_at)


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
    ended = runs.cancel(run=_queued(cast, now), by=cast.author, now=now)
    runs.repeat(run=ended, by=cast.author, now=now)


def _bury_run(cast: Cast, now: datetime) -> None:
    _held(cast, now)
    Run.objects.update(attempts=3)
    runs.bury(now=now + 2 * MINUTE)


FLOOR_ACTIONS: Mapping[str, Call] = {
    "governance.actions.accounts.note": lambda cast, now: accounts.note(
        happening=Happening.FACTOR_REMOVED, user=cast.author, by=cast.admin, now=now
    ),
    "governance.actions.artifacts.keep": _keep,
    "governance.actions.budgets.allocate": _allocate,
    "governance.actions.budgets.reserve": lambda cast, now: budgets.reserve(**_allocated(cast, now), key="r"),  # type: ignore[arg-type]
    "governance.actions.budgets.commit": lambda cast, now: budgets.commit(**_allocated(cast, now), key="c"),  # type: ignore[arg-type]
    "governance.actions.budgets.release": _release,
    "governance.actions.budgets.allocate_for": lambda cast, now: budgets.allocate_for(
        holder=home(), quarter="2026Q4", unit=Unit.USD, amount=Decimal(1), key="k", by=cast.finance, now=now
    ),
    "governance.actions.budgets.allocate_to": lambda cast, now: budgets.allocate_to(
        centre=_unit(cast, now), quarter="2026Q4", unit=Unit.USD, amount=Decimal(1), key="k", by=cast.finance, now=now
    ),
    "governance.actions.budgets.release_commitment": _revoked,
    "governance.actions.bookings.book": lambda cast, now: _booked(
        cast, now, how=bookings.book, kind=EntryKind.ALLOCATE, ref=None
    ),
    "governance.actions.bookings.book_given": lambda cast, now: _booked(
        cast, now, how=bookings.book_given, kind=EntryKind.ALLOCATE, ref=None
    ),
    "governance.actions.bookings.book_planned": lambda cast, now: _booked(
        cast, now, how=bookings.book_planned, kind=EntryKind.PLAN, ref=REF
    ),
    "governance.actions.bookings.book_checked": lambda cast, now: _booked(
        cast, now, how=bookings.book_checked, kind=EntryKind.RESERVE, ref=REF
    ),
    "governance.actions.actuals.book_actual": _billed,
    "governance.actions.quarter_end.close_quarters": lambda cast, now: (
        _account(cast, now),
        quarter_end.close_quarters(now=now + timedelta(days=100)),
    ),
    "governance.actions.budget_changes.propose": _changed,
    "governance.actions.budget_changes.confirm": lambda cast, now: budget_changes.confirm(
        change=_changed(cast, now), by=cast.finance, now=now
    ),
    "governance.actions.budget_changes.refuse": lambda cast, now: budget_changes.refuse(
        change=_changed(cast, now), reason="Not this quarter.", by=cast.finance, now=now
    ),
    "governance.actions.budget_changes.expire": _lapsed,
    "governance.actions.cost_centres.open_centre": _unit,
    "governance.actions.cost_centres.open_for_team": lambda cast, now: cost_centres.open_for_team(
        team=home(), by=cast.finance, now=now
    ),
    "governance.actions.cost_centres.place": _placed,
    "governance.actions.cost_centres.set_terms": lambda cast, now: cost_centres.set_terms(
        account=_account(cast, now), mode=Mode.OFF, tolerance_percent=5, by=cast.finance, now=now
    ),
    "governance.actions.findings.raise_once": lambda cast, now: _found(now),
    "governance.actions.findings.assign": lambda cast, now: findings.assign(
        finding=_found(now), owner=cast.author, due_on=now.date(), by=cast.finance, now=now
    ),
    "governance.actions.findings.close": lambda cast, now: findings.close(
        finding=_found(now), note="Done.", by=cast.finance, now=now
    ),
    "governance.actions.findings.settle": lambda cast, now: findings.settle(
        finding=_found(now), note="It holds no more.", now=now
    ),
    "governance.actions.answers.forget": _forgotten,
    "governance.actions.changes.propose_publication": _publish,
    "governance.actions.changes.propose_grant": _grant,
    "governance.actions.changes.confirm": _grant,
    "governance.actions.changes.refuse": _refuse,
    "governance.actions.changes.expire": _expire,
    "governance.actions.checkpoints.keep": lambda cast, now: checkpoints.keep(now=now),
    "governance.actions.effects.retry": lambda cast, now: effects.retry(
        message=_stuck(now, state="dead"), by=cast.admin, now=now
    ),
    "governance.actions.effects.resume_all": lambda cast, now: effects.resume_all(by=cast.admin, now=now),
    "governance.actions.effects.request_check": lambda cast, now: effects.request_check(by=cast.admin, now=now),
    "governance.actions.inventory.register": _reference,
    "governance.actions.inventory.register_asset": _asset,
    "governance.actions.inventory.register_upload": _upload,
    "governance.actions.inventory.register_reference": _reference,
    "governance.actions.people.create_team": lambda cast, now: people.create_team(
        slug="maps", name="Maps", by=cast.admin, now=now
    ),
    "governance.actions.people.close_account": lambda cast, now: people.close_account(
        user=cast.author, by=cast.admin, now=now
    ),
    "governance.actions.people.grant_role": _grant,
    "governance.actions.people.revoke_role": lambda cast, now: people.revoke_role(
        user=cast.finance, role=Role.FINANCE, by=cast.admin, now=now
    ),
    "governance.actions.people.create_token": lambda cast, now: people.create_token(
        user=cast.author, valid_days=1, by=cast.author, now=now
    ),
    "governance.actions.rulebook.draft_policy": _publish,
    "governance.actions.rulebook.draft_checklist": lambda cast, now: rulebook.draft_checklist(
        source=defaults.text_of(defaults.CHECKLIST), by=cast.admin, now=now
    ),
    "governance.actions.rulebook.publish": _publish,
    "benchmarking.actions.datasets.register": lambda cast, now: datasets.register(
        name="d", upload=ContentFile(npz_bytes(), name="d.npz"), by=cast.author, now=now
    ),
    "benchmarking.actions.prices.publish": _priced,
    "benchmarking.actions.prices.withdraw": lambda cast, now: prices.withdraw(
        source=_priced(cast, now), reason="It ended.", by=cast.finance, now=now
    ),
    "benchmarking.actions.sandbox.choose": lambda cast, now: sandbox.choose(
        may_go_without=True, reason="A container.", by=cast.admin, now=now
    ),
    "benchmarking.actions.runs.queue": _queued,
    "benchmarking.actions.runs.repeat": _repeat,
    "benchmarking.actions.runs.cancel": lambda cast, now: runs.cancel(run=_queued(cast, now), by=cast.author, now=now),
    "benchmarking.actions.runs.abandon": lambda cast, now: runs.abandon(
        run=_queued(cast, now), by=cast.author, now=now
    ),
    "benchmarking.actions.runs.finish": lambda cast, now: runs.finish(
        run=_held(cast, now), result=result_of(), now=now
    ),
    "benchmarking.actions.runs.fail": lambda cast, now: runs.fail(run=_held(cast, now), reason="It crashed.", now=now),
    "benchmarking.actions.runs.bury": _bury_run,
}
