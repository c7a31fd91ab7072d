"""How to call every write of reviews, so that each does something;
`tests/integration/test_every_action_is_audited.py`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.db import transaction

from benchmarking.projections import actions as kept
from benchmarking.projections.models import CostProjection
from benchmarking.runs.queries import runs
from governance.findings.actions import Sighting
from governance.findings.enums import Severity
from governance.inventory.domain.retirement import Announcement
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from reviews.evidence import actions as traffic
from reviews.evidence.domain.comparison import month_end
from reviews.evidence.domain.traffic_file import MonthTraffic
from reviews.evidence.locking import lock_all
from reviews.evidence.models import RequestProjection
from reviews.evidence.queries.backtests import backtest
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.tickets import actions as effects
from reviews.tickets.ports import RemoteTicket, TrackerHealth
from reviews.workflow.actions import (
    attestations,
    breaches,
    evidence,
    imports,
    projections,
    re_reviews,
    retirements,
    review,
    screening,
    waivers,
)
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions.drafting import amendments, filing
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories import tickets as sites
from tests.factories.costs import cost_spec
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.reviews.evidence.steps import ACTIONS as STEPS
from tests.integration.reviews.workflow.worlds import World, make_world
from tests.unit.toolkit.readers.files import SAMPLES

Call = Callable[[Cast, datetime], object]
REMOTE = RemoteTicket(id="10001", key="MR-1", url="https://jira.test/browse/MR-1", status="To Do")
LEASE = timedelta(minutes=1)


def in_world(walk: Callable[[World], object]) -> Call:
    return lambda cast, now: walk(make_world(cast=cast, now=now))


def _confirm(world: World) -> None:
    condition = world.decided().decision.authorization.conditions.get()
    authorizations.confirm_condition(condition=condition, by=world.cast.reviewer_one, now=world.now)


def _amend(world: World) -> None:
    STEPS["amend"](world, world.evidence(), world.cast.author)


def _exchange(world: World) -> None:
    request, by = world.evidence(), world.cast.author
    other = make_version(by=by, now=world.now, version="9.9.9", seed=99)
    amendments.exchange(request=request, version=other, reason="It was trained anew.", by=by, now=world.now)


def _revoke(world: World) -> None:
    row = world.decided().decision.authorization
    authorizations.revoke(authorization=row, reason="It leaks.", by=world.cast.approver, now=world.now)


def _age(world: World) -> None:
    authorizations.expire_due(now=world.decided().decision.authorization.expires_at)


def _packet(world: World) -> Packet:
    """Frozen, and held by a worker."""
    request = world.in_review()
    frozen = packets.freeze(request=request, by=world.cast.author, now=world.now)
    packet = Packet.claim(pk=frozen.pk, now=world.now, lease=LEASE)
    assert packet is not None
    return packet


def _ask_for(world: World) -> None:
    packets.request_packet(request=world.submitted(), by=world.cast.author, now=world.now)


def _rendered(world: World) -> None:
    assert packets.store_pdf(packet=_packet(world), pdf=b"%PDF-1.7", pages=1, now=world.now)


def _bury(world: World) -> None:
    Packet.objects.filter(pk=_packet(world).pk).update(attempts=3, state=JobState.CLAIMED)
    assert jobs.mark_dead(model=Packet, now=world.now + 2 * LEASE)


def _retry(world: World) -> None:
    packet = _packet(world)
    assert jobs.fail(row=packet, reason="Out of ink.", now=world.now)
    jobs.retry(row=packet, by=world.cast.author, now=world.now)


def _start_benchmarks(world: World) -> None:
    request = world.submitted()
    request.model_version.runs.all().delete()
    screening.start_benchmarks(request=request, by=world.cast.author, now=world.now)


def _measure_again(world: World) -> None:
    request = world.evidence()
    (run,) = runs.of_request(request.ref)
    evidence.measure_again(request=request, run=run, by=world.cast.author, now=world.now)


def _evaluate_again(world: World) -> None:
    request = world.submitted()
    with transaction.atomic():
        screening.evaluate_again(request=request, occasion="test", now=world.now)


def _file(world: World) -> None:
    entry = filing.FilingInput(
        title="t",
        purpose="Rank",
        environment="prod",
        business_case="It ranks.",
        version=make_version(by=world.cast.author, now=world.now),
    )
    filing.file_request(entry=entry, by=world.cast.author, now=world.now)


def _take_back(world: World) -> None:
    request = world.vote(world.in_review(), world.cast.reviewer_one)
    review.take_back(request=request, reason="I misread the interval.", by=world.cast.reviewer_one, now=world.now)


def _waive(world: World) -> None:
    waivers.grant(
        request=world.evidence(),
        rule_id="accuracy-floor-prod",
        reason="A ranking has no accuracy.",
        valid_days=9,
        by=world.cast.approver,
        now=world.now,
    )


def _tell(world: World) -> None:
    request = world.submitted()
    effects.notify_request_ticket(request=request, occasion="evidence", reason="", by=None, now=world.now)


def _route(world: World) -> None:
    world.submitted()
    sites.make_routed_site(now=world.now)
    assert effects.route_waiting(now=world.now) == 1


def _probe(world: World) -> None:
    site = sites.a_site(world.now)
    world.submitted()
    OutboxMessage.objects.update(state=JobState.PAUSED)
    assert effects.probe_tracker(site=site, now=world.now)


def _doubted(world: World) -> None:
    """An authorized model whose projection holds prices of a year ago."""
    request = world.decided()
    projection = CostProjection.objects.create(
        token="t" * 20,
        title="T",
        spec={},
        document={"seed": 1},
        digest="sha256:" + "a" * 64,
        kept_at=world.now - timedelta(days=365),
    )
    RequestProjection.objects.create(
        request=request, number=1, projection=projection, option="own", stated_by=world.cast.author, stated_at=world.now
    )
    assert breaches.detect_breaches(now=world.now)


def _lift(world: World) -> None:
    condition = world.decided().decision.authorization.conditions.get()
    reason = "It is met by other means."
    authorizations.lift_condition(condition=condition, reason=reason, by=condition.set_by, now=world.now)


def _revoke_rejected(world: World) -> None:
    request = world.decided()
    with transaction.atomic():
        lock_all(request=request, now=world.now)
        authorizations.revoke_rejected(request=request, by=world.cast.reviewer_one, now=world.now)


def _supersede(world: World) -> None:
    first = world.decided()
    row = walks.make_draft(by=world.cast.author, now=world.now, version=first.model_version, purpose="Another")
    with transaction.atomic():
        authorizations.supersede(request=lock_all(request=row, now=world.now), by=world.cast.approver, now=world.now)


def _announce(world: World, days: int = 60) -> None:
    version = world.decided().model_version
    announcement = Announcement(retires_on=world.now.date() + timedelta(days=days), source="a mail of the vendor")
    reason = "The vendor ends the model."
    retirements.announce(
        version=version, announcement=announcement, reason=reason, by=world.cast.approver, now=world.now
    )


def _settle_ends(world: World) -> None:
    version = world.decided().model_version
    version.ends_on = world.now.date() + timedelta(days=60)
    version.save()
    retirements.settle_ends(now=world.now)


def _warn(world: World) -> None:
    _announce(world)
    retirements.warn(now=world.now)


def _have_reviewed(world: World) -> None:
    held = world.decided().decision.authorization
    sighting = Sighting(
        kind="cost.breach",
        subject="A model",
        text="It costs more.",
        severity=Severity.HIGH,
        key=f"cost.breach:{held}:1",
    )
    re_reviews.open_re_review(authorization=held, sighting=sighting, now=world.now)


def _state_projection(world: World) -> None:
    projection = kept.project_and_store(spec=cost_spec(), by=world.cast.author, now=world.now)
    state = projections.state
    state(request=world.submitted(), projection=projection, option="own", by=world.cast.author, now=world.now)


def _take_redrawn(world: World) -> None:
    request = world.submitted()
    projection = kept.project_and_store(spec=cost_spec(), by=world.cast.author, now=world.now)
    projections.state(request=request, projection=projection, option="own", by=world.cast.author, now=world.now)
    walks.take_results(request=request, now=world.now)


def _supply_traffic(world: World) -> None:
    request = world.decided()
    month = MonthTraffic(month_end(world.now.date()), 5)
    later = world.now + timedelta(days=40)
    traffic.supply_traffic(request=request, months=[month], channel="form", by=world.cast.author, now=later)


def _start_backtest(world: World) -> None:
    policy = world.decided().policy
    asked = backtest.question(name=policy.name, number=policy.number, against=None, quarters=1, now=world.now)
    traffic.start_backtest(asked=asked, by=world.cast.approver, now=world.now)


def _attest(world: World) -> None:
    kinds.publish_shipped(now=world.now + timedelta(hours=1))
    author, now = world.cast.author, world.now + timedelta(hours=2)
    version = kinds.register(task="detection", subject=kinds.MANIFEST, by=author, now=now)
    request = walks.make_submitted(by=author, version=version, now=now)
    envelope = kinds.envelope_of(kinds.result_for(request, kinds.Signed({"latency_p95_ms": "40"}), now=now))
    attestations.record_attested(request=request, envelope=envelope, by=author, now=now)


def _import(world: World) -> None:
    file = ContentFile((SAMPLES / "guidellm_03.json").read_bytes(), name="results.json")
    imports.import_result(request=world.draft(), upload=file, by=world.cast.author, now=world.now)


ACTIONS: Mapping[str, Call] = {
    "reviews.workflow.actions.authorizations.expire_due": in_world(_age),
    "reviews.workflow.actions.authorizations.confirm_condition": in_world(_confirm),
    "reviews.workflow.actions.authorizations.issue": in_world(World.decided),
    "reviews.workflow.actions.authorizations.lift_condition": in_world(_lift),
    "reviews.workflow.actions.authorizations.supersede": in_world(_supersede),
    "reviews.workflow.actions.authorizations.revoke_rejected": in_world(_revoke_rejected),
    "reviews.workflow.actions.authorizations.revoke": in_world(_revoke),
    "reviews.tickets.actions.link_ticket": in_world(
        lambda world: sites.link(world.submitted().ticket, remote=REMOTE, now=world.now)
    ),
    "reviews.tickets.actions.attach_packet": in_world(
        lambda world: effects.attach_packet(
            ticket=world.submitted().ticket, packet_id=1, number=1, when="printed", by=None, now=world.now
        )
    ),
    "reviews.tickets.actions.attach_packet_of_request": in_world(
        lambda world: effects.attach_packet_of_request(
            request=world.submitted(), packet_id=1, number=1, by=None, now=world.now
        )
    ),
    "reviews.tickets.actions.record_attachment": in_world(
        lambda world: effects.record_attachment(ticket=world.submitted().ticket, name="a.pdf", note="", now=world.now)
    ),
    "reviews.tickets.actions.request_test": in_world(
        lambda world: effects.request_test(site=sites.a_site(world.now), occasion="x", by=None, now=world.now)
    ),
    "reviews.tickets.actions.route_waiting": in_world(_route),
    "reviews.tickets.actions.mark_uncertain": in_world(
        lambda world: effects.mark_uncertain(ticket=world.submitted().ticket, now=world.now)
    ),
    "reviews.tickets.actions.record_health": in_world(
        lambda world: effects.record_health(
            site=sites.a_site(world.now), health=TrackerHealth(ok=True, sentence="It answers."), now=world.now
        )
    ),
    "reviews.tickets.actions.record_ticket_update": in_world(
        lambda world: effects.record_ticket_update(
            ticket=world.submitted().ticket, status="Done", note="", now=world.now
        )
    ),
    "reviews.tickets.actions.open_ticket": in_world(World.submitted),
    "reviews.tickets.actions.probe_tracker": in_world(_probe),
    "reviews.tickets.actions.notify_request_ticket": in_world(_tell),
    "reviews.workflow.actions.evidence.answer_contradiction": in_world(World.evidence),
    "reviews.workflow.actions.evidence.answer_item": in_world(World.evidence),
    "reviews.workflow.actions.evidence.measure_again": in_world(_measure_again),
    "reviews.workflow.actions.evidence.state_metric_value": in_world(World.draft),
    "reviews.workflow.actions.attestations.record_attested": in_world(_attest),
    "reviews.workflow.actions.imports.import_result": in_world(_import),
    "reviews.workflow.actions.measurements.record_measurements": in_world(World.evidence),
    "reviews.workflow.actions.drafting.filing.file_request": in_world(_file),
    "reviews.requests.actions.move": in_world(World.submitted),
    "reviews.packets.actions.request_packet": in_world(_ask_for),
    "reviews.packets.actions.freeze": in_world(World.decided),
    "reviews.packets.actions.store_pdf": in_world(_rendered),
    "benchmarking.projections.actions.project_and_store": in_world(_state_projection),
    "benchmarking.projections.actions.store": in_world(_state_projection),
    "reviews.workflow.actions.breaches.detect_breaches": in_world(_doubted),
    "reviews.workflow.actions.projections.state": in_world(_state_projection),
    "reviews.workflow.actions.projections.store_recalculated": in_world(_take_redrawn),
    "reviews.workflow.actions.re_reviews.open_re_review": in_world(_have_reviewed),
    "reviews.workflow.actions.drafting.amendments.amend": in_world(_amend),
    "reviews.workflow.actions.drafting.amendments.exchange": in_world(_exchange),
    "reviews.workflow.actions.retirements.announce": in_world(_announce),
    "reviews.workflow.actions.retirements.settle_ends": in_world(_settle_ends),
    "reviews.workflow.actions.retirements.warn": in_world(_warn),
    "reviews.workflow.actions.requests.create": in_world(World.draft),
    "reviews.workflow.actions.requests.file_again": in_world(_have_reviewed),
    "reviews.workflow.actions.requests.edit": in_world(World.edited),
    "reviews.workflow.actions.requests.expire": in_world(World.expired),
    "reviews.workflow.actions.requests.revise": in_world(World.revised),
    "reviews.workflow.actions.requests.submit": in_world(World.submitted),
    "reviews.workflow.actions.requests.withdraw": in_world(World.withdrawn),
    "reviews.workflow.actions.review.request_review": in_world(World.in_review),
    "reviews.workflow.actions.review.vote": in_world(World.before_the_last_vote),
    "reviews.workflow.actions.review.cast": in_world(World.before_the_last_vote),
    "reviews.workflow.actions.review.take_back": in_world(_take_back),
    "reviews.workflow.actions.requests.extend": in_world(World.extended),
    "reviews.workflow.actions.screening.evaluate_again": in_world(_evaluate_again),
    "reviews.workflow.actions.screening.reopen": in_world(World.revised),
    "reviews.workflow.actions.screening.screen": in_world(World.submitted),
    "reviews.workflow.actions.screening.start_benchmarks": in_world(_start_benchmarks),
    "reviews.evidence.actions.start_backtest": in_world(_start_backtest),
    "reviews.evidence.actions.supply_traffic": in_world(_supply_traffic),
    "reviews.workflow.actions.waivers.grant": in_world(_waive),
}

JOBS: Mapping[str, Call] = {
    "packet.failed": in_world(_retry),
    "packet.dead": in_world(_bury),
    "packet.retried": in_world(_retry),
}
