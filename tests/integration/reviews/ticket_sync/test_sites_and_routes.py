"""Several sites at once, routes, field values, attached packets: with twins in this process and stand-ins over HTTP."""

from datetime import datetime
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from governance.audit.models import AuditEvent
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.people.models import Team
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync import tasks as inbound_tasks
from reviews.ticket_sync.actions import routes, sites
from reviews.ticket_sync.actions.routes import RouteSpec
from reviews.ticket_sync.queries.values import values_of
from reviews.ticket_sync.rules import check_app, check_credential
from reviews.tickets import actions as effects
from reviews.tickets.domain.field_values import FieldKind, FieldTarget
from reviews.tickets.models import SiteState, Ticket, TicketRoute, TicketSite
from reviews.tickets.ports import TrackerHealth
from reviews.tickets.queries.sites import routed_subject
from reviews.workflow.actions.authorizations import revoke
from tests.factories import requests as walks
from tests.factories import tickets as made
from tests.factories.cycles import make_action
from tests.factories.people import Cast
from tests.integration.reviews.ticket_sync.audited import GOOD, SERVER, SPEC
from tests.integration.reviews.ticket_sync.delivery import Clock, deliver
from tests.late_locks import late_locks
from tests.standins.jira_cloud import JiraCloud
from tests.standins.jira_data_center import JiraDataCenter
from tests.threads import in_the_middle
from weighbridge.core.errors import Invalid, WrongState

pytestmark = pytest.mark.usefixtures("clock")
MAP = {
    "reference": ("customfield_10036", "string"),
    "cost_of_year": ("customfield_10031", "number"),
    "gpu_hours": ("customfield_10032", "number"),
    "tier": ("customfield_10033", "string"),
    "decision": ("customfield_10034", "option"),
    "authorized_until": ("customfield_10035", "date"),
}
FIELD_MAP = {name: {"id": field, "kind": kind} for name, (field, kind) in MAP.items()}


def test_fields_are_filled_at_the_opening_and_after_the_decision(
    policy: object, cast: Cast, jira: JiraCloud, clock: Clock, now: datetime
) -> None:
    site = made.site_at(jira, now=now)
    jira.config.limits_writes = False
    site.routes.update(field_map=FIELD_MAP, fields={"priority": {"name": "High"}})
    request = walks.make_decided(cast=cast, now=now)
    while deliver(clock, after_s=60):
        pass
    (issue,) = jira.issues.issues
    filled, values = issue["fields"], values_of(Ticket.objects.get(), now=clock.now())
    assert filled["customfield_10036"] == request.ref
    assert filled["customfield_10031"] == float(values["cost_of_year"]) > 0
    assert filled["customfield_10032"] == float(values["gpu_hours"])
    assert filled["customfield_10033"] == values["tier"] != ""
    assert filled["customfield_10034"] == {"value": "Approved"}
    assert filled["customfield_10035"] == request.decision.authorization.expires_at.date().isoformat()
    assert filled["priority"] == {"name": "High"}
    assert not OutboxMessage.objects.exclude(state=JobState.DONE).exists()
    authorization = request.decision.authorization
    revoke(authorization=authorization, reason="It drifts.", by=cast.approver, now=clock.now())
    deliver(clock, after_s=60)
    (issue,) = jira.issues.issues
    assert (issue["fields"]["customfield_10035"], issue["fields"]["customfield_10034"]) == (None, {"value": "Approved"})
    assert "It drifts." in str(issue["comments"][-1]["body"])
    assert Ticket.objects.get().status == "Done"


def test_a_field_that_jira_refuses_holds_up_no_comment_and_no_status(
    policy: object, cast: Cast, jira: JiraCloud, clock: Clock, now: datetime
) -> None:
    site = made.site_at(jira, now=now)
    jira.config.limits_writes = False
    site.routes.update(field_map=FIELD_MAP)
    refused = {"errorMessages": [], "errors": {"customfield_10034": "It is not on the appropriate screen."}}
    jira.order("PUT .*/issue/", status=400, body=refused, times=-1)
    walks.make_decided(cast=cast, now=now)
    while deliver(clock, after_s=60):
        pass
    assert Ticket.objects.get().status == "Done"
    assert not OutboxMessage.objects.exclude(state=JobState.DONE).exists()
    assert "It is not on the appropriate screen" in AuditEvent.objects.filter(kind="ticket.updated").last().reason


def test_a_printed_packet_is_attached_once_whatever_is_lost(
    submitted: ReviewRequest, cast: Cast, jira: JiraCloud, clock: Clock, now: datetime
) -> None:
    made.site_at(jira, now=now)
    effects.route_waiting(now=now)
    packet = packets.freeze(request=submitted, by=cast.author, now=now)
    claimed = Packet.claim(pk=packet.pk, now=now, lease=inbound_tasks.effect_lease())
    assert packets.store_pdf(packet=claimed, pdf=b"%PDF-1.7 a packet", pages=1, now=now)
    assert [row.kind for row in OutboxMessage.objects.filter(kind="ticket.attach")] == ["ticket.attach"]
    jira.order("POST .*/attachments", drop_after_commit=True)
    deliver(clock)
    deliver(clock, after_s=600)
    (issue,) = jira.issues.issues
    assert [(file["filename"], file["size"]) for file in issue["attachments"]] == [
        (f"{submitted.ref}-packet-1.pdf", len(b"%PDF-1.7 a packet"))
    ]
    attached = AuditEvent.objects.filter(kind="ticket.attached")
    assert {event.details["file"] for event in attached} == {f"{submitted.ref}-packet-1.pdf"}
    Ticket.objects.update(remote_id="404")
    effects.attach_packet(ticket=Ticket.objects.get(), packet_id=packet.pk, number=1, when="again", by=None, now=now)
    deliver(clock)
    assert "deleted" in AuditEvent.objects.filter(kind="ticket.attached").last().reason


def test_a_damaged_packet_is_not_attached(
    submitted: ReviewRequest, cast: Cast, clock: Clock, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.a_site(now)
    Ticket.objects.update(state="linked", remote_id="1", key="MR-1")
    OutboxMessage.objects.update(state=JobState.DONE)
    packet = packets.freeze(request=submitted, by=cast.author, now=now)
    Packet.objects.update(stored_as="x", pdf_digest=f"sha256:{'0' * 64}")
    effects.attach_packet(ticket=Ticket.objects.get(), packet_id=packet.pk, number=1, when="x", by=None, now=now)
    message = next(each for each in deliver(clock) if each.kind == "ticket.attach")
    assert (message.state, "missing" in message.error) == (JobState.PAUSED, True)


def test_a_request_without_a_ticket_has_nothing_attached(draft: ReviewRequest, now: datetime) -> None:
    effects.attach_packet_of_request(request=draft, packet_id=1, number=1, by=None, now=now)
    assert not OutboxMessage.objects.filter(kind="ticket.attach").exists()


def test_an_outage_of_one_site_holds_up_nobody_at_another(
    policy: object, cast: Cast, clock: Clock, now: datetime
) -> None:
    with JiraCloud() as first, JiraDataCenter() as second:
        usual = made.site_at(first, now=now, name="First")
        other = made.make_site(now=now, name="Second", url=second.url, token=second.config.token, account="")
        TicketSite.objects.filter(pk=other.pk).update(flavor="data_center", version="10.3.1")
        made.make_route(other, work="action_item")
        asset = walks.make_submitted(by=cast.author, now=now).model_version.asset
        item = make_action(cast=cast, now=now, asset=asset)
        tickets = [Ticket.objects.get(action_item=None), Ticket.objects.get(action_item=item)]
        assert [ticket.site for ticket in tickets] == [usual, other]
        OutboxMessage.objects.update(next_attempt_at=now)  # the meeting was later
        first.order("GET", status=503, times=-1)
        done = deliver(clock)
        kinds = {message.payload["system"]: message.state for message in done if message.kind == "ticket.open"}
        assert kinds == {usual.pk: JobState.QUEUED, other.pk: JobState.DONE}
        assert (len(first.issues.issues), len(second.issues.issues)) == (0, 1)
        first.site.faults.clear()
        effects.record_health(site=other, health=GOOD, now=clock.now())
        opening = OutboxMessage.objects.get(kind="ticket.open", payload__system=usual.pk)
        assert opening.next_attempt_at > clock.now(), "a success at one site resumes nothing at another"
        effects.record_health(site=usual, health=GOOD, now=clock.now())
        deliver(clock, after_s=10)
        assert len(first.issues.issues) == 1


def test_two_sites_number_their_issues_alike(
    policy: object, cast: Cast, submitted: ReviewRequest, now: datetime
) -> None:
    site = made.a_site(now)
    Ticket.objects.update(state="linked", remote_id="10001", key="MR-1")
    item = make_action(cast=cast, now=now, asset=submitted.model_version.asset)
    other = made.make_site(now=now, name="Other")
    Ticket.objects.filter(action_item=item).update(site=other, state="linked", remote_id="10001", key="MR-1")
    with pytest.raises(IntegrityError, match="one_ticket_per_remote_id"), transaction.atomic():
        Ticket.objects.filter(action_item=item).update(site=site)


def test_a_team_has_its_own_project(submitted: ReviewRequest, cast: Cast, team: Team, now: datetime) -> None:
    site = made.make_site(now=now)
    made.make_route(site)
    own = made.make_route(site, team=submitted.team, project="VIS")
    assert effects.route_waiting(now=now) == 1
    ticket = Ticket.objects.get()
    assert (ticket.route, ticket.site) == (own, site)
    assert effects.route_waiting(now=now) == 0
    subject = routed_subject(Ticket(action_item=make_action(cast=cast, now=now, asset=submitted.model_version.asset)))
    assert (subject.work, subject.kind) == ("action_item", "")


def test_all_tickets_are_locked_before_the_first_route_is_recorded(
    submitted: ReviewRequest, cast: Cast, now: datetime
) -> None:
    make_action(cast=cast, now=now, asset=submitted.model_version.asset)
    made.make_route(made.make_site(now=now))
    with late_locks() as late:
        assert effects.route_waiting(now=now) == 2
    assert [row.state for row in OutboxMessage.objects.filter(kind="ticket.open")] == [JobState.QUEUED] * 2
    assert late == []


@pytest.mark.parametrize("is_new", [True, False])
def test_all_tickets_are_locked_before_their_new_route_is_recorded(
    submitted: ReviewRequest, cast: Cast, now: datetime, is_new: bool
) -> None:
    site = made.make_site(now=now)
    row = None if is_new else made.make_route(site, team=Team.objects.get(slug="ads"))
    with late_locks() as late:
        if row is None:
            routes.add_route(site=site, spec=SPEC, by=cast.admin, now=now)
        else:
            routes.change_route(route=row, spec=SPEC, by=cast.admin, now=now)
    assert late == []
    assert Ticket.objects.get().site == site


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.django_db(transaction=True)
def test_of_two_routes_for_the_same_tickets_at_once_one_is_refused(
    now: datetime, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    old = made.make_routed_site(now=now, name="Old", state=SiteState.SETUP).routes.get()
    spec, site = RouteSpec(project="MR", issue_type="Task", work="review"), made.make_site(now=now, name="New")
    known = {"spec": spec, "by": None, "now": now}
    first = partial(routes.add_route, site=old.site) if is_new else partial(routes.change_route, route=old)
    second = partial(routes.add_route, site=site, **known)
    error, row = in_the_middle(monkeypatch, (routes, "_columns"), partial(first, **known), second)
    assert row == TicketRoute.objects.get(work="review")
    assert isinstance(error, Invalid)
    assert "takes exactly these tickets already" in error.reason
    assert AuditEvent.objects.filter(kind__startswith="ticket_route.").count() == 1


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.django_db(transaction=True)
def test_of_two_sites_of_a_name_at_once_one_is_refused(
    now: datetime, monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    known = {"name": "Twin", "url": made.URL, "server": SERVER, "by": None, "now": now}
    first = partial(sites.add_site) if is_new else partial(sites.change_site, site=made.make_site(now=now))
    second = partial(sites.add_site, **known)
    error, row = in_the_middle(monkeypatch, (sites, "_check_address"), partial(first, **known), second)
    assert row == TicketSite.objects.get(name="Twin")
    assert isinstance(error, Invalid)
    assert (error.field, "Another site has the name Twin" in error.reason) == ("name", True)
    assert AuditEvent.objects.filter(kind__startswith="ticket_site.").count() == 1


def test_a_ticket_that_no_route_takes_keeps_waiting(submitted: ReviewRequest, clock: Clock, now: datetime) -> None:
    made.make_route(made.make_site(now=now), work="action_item")
    assert effects.route_waiting(now=now) == 0
    (message,) = deliver(clock)
    assert (message.state, message.error) == (JobState.PAUSED, inbound_tasks.NO_SITE)


def test_a_route_removed_meanwhile_opens_nothing(
    submitted: ReviewRequest, jira: JiraCloud, clock: Clock, now: datetime
) -> None:
    made.site_at(jira, now=now)
    effects.route_waiting(now=now)
    TicketRoute.objects.all().delete()
    (message,) = deliver(clock)
    assert (message.state, message.error) == (JobState.PAUSED, inbound_tasks.NO_SITE)
    assert jira.issues.issues == []


def test_a_test_shows_each_step_of_each_route(cast: Cast, jira: JiraCloud, clock: Clock, now: datetime) -> None:
    site = made.site_at(jira, now=now)
    site.routes.update(statuses={"in_review": "In Review"})
    made.make_route(site, work="review", issue_type="Epic")
    effects.request_test(site=site, occasion="x", by=cast.admin, now=now)
    deliver(clock)
    site.refresh_from_db()
    assert [(step["name"], step["ok"]) for step in site.steps][-2:] == [("Statuses", True), ("Issue type", False)]
    assert site.is_ok is False
    assert "no issue type Epic" in site.steps[-1]["sentence"]
    site.routes.filter(issue_type="Epic").delete()
    site.routes.update(statuses={"in_review": "Nirvana"}, field_map={"tier": {"id": "customfield_1", "kind": "string"}})
    for words in ("fills customfield_1, which", "fills customfield_10031 as string", "has no status Nirvana"):
        effects.request_test(site=site, occasion=words, by=None, now=now)
        deliver(clock)
        site.refresh_from_db()
        assert words in site.steps[-1]["sentence"]
        broken = site.routes.get().field_map.get("tier", {}).get("id") == "customfield_1"
        site.routes.update(field_map={"tier": {"id": "customfield_10031", "kind": "string"}} if broken else {})


def refused(spec: RouteSpec, site: TicketSite, now: datetime) -> str:
    with pytest.raises(Invalid) as refusal:
        routes.add_route(site=site, spec=spec, by=None, now=now)
    return refusal.value.reason


def test_a_route_that_leads_nowhere_is_refused(db: None, now: datetime) -> None:
    site = made.make_site(now=now)
    assert "Choose the project" in refused(RouteSpec(project=" ", issue_type="Task"), site, now)
    assert "Choose the issue type" in refused(RouteSpec(project="MR", issue_type="x" * 61), site, now)
    assert "kind of model" in refused(RouteSpec(project="MR", issue_type="Task", subject_kind="spell"), site, now)
    assert "about reviews" in refused(RouteSpec(project="MR", issue_type="Task", work="play"), site, now)
    TicketSite.objects.update(state=SiteState.REMOVED, credential=None)
    with pytest.raises(WrongState, match="Jira was removed"):
        routes.add_route(site=site, spec=SPEC, by=None, now=now)
    assert TicketRoute.objects.count() == 0


@pytest.mark.parametrize(
    ("field_map", "fields", "words"),
    [
        ({"weather": FieldTarget("customfield_1", FieldKind.TEXT)}, {}, "There is no value 'weather'"),
        ({"tier": FieldTarget(" ", FieldKind.TEXT)}, {}, "Choose a field of the list"),
        ({"tier": FieldTarget("customfield_1", FieldKind.NUMBER)}, {}, "does not fit a field of the type number"),
        ({"cost_of_year": FieldTarget("customfield_1", FieldKind.DATE)}, {}, "does not fit a field of the type date"),
        ({"tier": FieldTarget("a", FieldKind.TEXT), "link": FieldTarget("a", FieldKind.TEXT)}, {}, "filled twice"),
        ({"tier": FieldTarget("a", FieldKind.TEXT)}, {"a": "x"}, "filled twice"),
        ({}, {"x" * 61: "x"}, "from the list"),
        ({}, {str(number): "x" for number in range(51)}, "from the list"),
    ],
)
def test_a_map_that_cannot_be_is_refused(
    db: None, now: datetime, field_map: dict[str, FieldTarget], fields: dict[str, str], words: str
) -> None:
    route = made.make_route(made.make_site(now=now))
    with pytest.raises(Invalid, match=words):
        routes.map_fields(route=route, field_map=field_map, fields=fields, by=None, now=now)
    route.refresh_from_db()
    assert (route.field_map, route.fields) == ({}, {})


@pytest.mark.parametrize(
    ("statuses", "moves", "words"),
    [
        ({"in_review": "x" * 61}, {}, "a name of at most"),
        ({}, {"": "withdraw"}, "a name of at most"),
        ({}, {"Done": "decide"}, "can withdraw a request"),
        ({str(number): "x" for number in range(51)}, {}, "At most 50"),
        (
            {"in review": "In Review"},
            {},
            "There is no event 'in review' to set a status for: choose one of",
        ),
        ({}, {str(number): "none" for number in range(51)}, "At most 50"),
    ],
)
def test_statuses_that_cannot_be_are_refused(
    db: None, now: datetime, statuses: dict[str, str], moves: dict[str, str], words: str
) -> None:
    route = made.make_route(made.make_site(now=now))
    with pytest.raises(Invalid, match=words):
        routes.map_statuses(route=route, statuses=statuses, moves=moves, by=None, now=now)
    route.refresh_from_db()
    assert (route.statuses, route.moves) == ({}, {})


def test_a_route_with_waiting_tickets_stays(submitted: ReviewRequest, now: datetime) -> None:
    site = made.a_site(now)
    with pytest.raises(WrongState, match="1 ticket of this route waits to be opened"):
        routes.remove_route(route=site.routes.get(), by=None, now=now)
    assert site.routes.count() == 1


def test_names_and_addresses_are_checked(db: None, now: datetime) -> None:
    site = made.make_site(now=now)
    for name, url, field in (
        (" ", made.URL, "name"),
        ("x" * 61, made.URL, "name"),
        ("Jira", made.URL, "name"),
        ("New", "http://jira.test", "base_url"),
        ("New", f"https://{'x' * 200}.test", "base_url"),
    ):
        with pytest.raises(Invalid) as refusal:
            sites.add_site(name=name, url=url, server=SERVER, by=None, now=now)
        assert refusal.value.field == field
    same = sites.change_site(site=site, name="Jira", url="https://other.test", server=SERVER, by=None, now=now)
    assert (same.base_url, same.is_ok, same.steps) == ("https://other.test", None, [])
    with pytest.raises(Invalid):
        sites.set_options(site=site, settle_s=-1, comparison="pull", by=None, now=now)
    with pytest.raises(Invalid):
        sites.set_options(site=site, settle_s=1, comparison="perhaps", by=None, now=now)
    assert TicketSite.objects.count() == 1


def test_a_removed_site_is_not_changed(db: None, now: datetime) -> None:
    site = made.make_site(now=now)
    sites.remove_site(site=site, by=None, now=now)
    before = list(TicketSite.objects.values())
    with pytest.raises(WrongState, match="was removed"):
        sites.set_options(site=site, settle_s=1, comparison="pull", by=None, now=now)
    assert list(TicketSite.objects.values()) == before


@pytest.mark.parametrize(
    ("flavor", "access", "account", "credential", "field"),
    [
        ("cloud", "token", "bot@example.org", "t", "access"),
        ("cloud", "account", "bot", "t", "account"),
        ("cloud", "account", "bot@example.org:x", "t", "account"),
        ("cloud", "account", f"bot@{'x' * 254}", "t", "account"),
        ("cloud", "account", "bot@example.org", " ", "credential"),
        ("data_center", "account", "", "t", "access"),
        ("data_center", "token", "bot@example.org", "t", "account"),
        ("data_center", "token", "", "t\nt", "credential"),
        ("data_center", "token", "", "ü", "credential"),
    ],
)
def test_what_a_credential_cannot_be(flavor: str, access: str, account: str, credential: str, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_credential(site=TicketSite(flavor=flavor), access=access, account=account, credential=credential)
    assert refusal.value.field == field


def test_a_data_center_takes_no_app() -> None:
    with pytest.raises(Invalid, match="takes no app of Atlassian: store a personal access token"):
        check_app(site=TicketSite(flavor="data_center"), client_id="weighbridge", client_secret="s")


def test_a_refused_credential_changes_nothing(db: None, now: datetime) -> None:
    site = made.make_site(now=now, flavor="data_center", account="", access="token")
    before = list(TicketSite.objects.values())
    bad = TrackerHealth(ok=False, sentence="Jira does not accept the stored token.")
    with pytest.raises(Invalid, match="does not accept"):
        sites.store_credential(site=site, access="token", account="", credential="other", health=bad, by=None, now=now)
    assert list(TicketSite.objects.values()) == before
    assert AuditEvent.objects.count() == 0


def test_the_database_keeps_a_site_whole(db: None, now: datetime) -> None:
    made.make_site(now=now)
    for change, name in (
        ({"credential": None}, "active_site_has_a_credential"),
        ({"state": SiteState.REMOVED}, "removed_site_has_no_secret"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            TicketSite.objects.update(**change)
    with pytest.raises(IntegrityError, match="one_site_per_name"), transaction.atomic():
        made.make_site(now=now)
    route = made.make_route(TicketSite.objects.get())
    with pytest.raises(IntegrityError, match="one_route_per_scope"), transaction.atomic():
        made.make_route(route.site)
    assert str(route) == "Jira: MR, Task"
