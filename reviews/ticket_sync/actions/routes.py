"""Ticket routes: where the tickets of a scope are opened, and how fields and statuses map."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.people.actions.people import ALONE
from governance.people.models import Team
from governance.rulebook.domain.scopes import SubjectKind
from reviews.ticket_sync.locking import locked_route, locked_site, refused_if_taken
from reviews.ticket_sync.rules import need_site_manager
from reviews.tickets import actions as effects
from reviews.tickets.domain.field_values import FIELD_VALUES, FieldTarget, kinds_for
from reviews.tickets.domain.moves import Meaning
from reviews.tickets.domain.routing import Work
from reviews.tickets.jira.settings import STATUSES
from reviews.tickets.models import SiteState, Ticket, TicketRoute, TicketSite, TicketState
from weighbridge.core.documents import is_storable
from weighbridge.core.errors import Invalid, WrongState

PROJECT_CHARS_MAX, NAME_CHARS_MAX, FIELD_CHARS_MAX, ENTRIES_MAX = 40, 60, 60, 50
_SCOPE_TAKEN = "Another route takes exactly these tickets already: change it, or narrow this one."
MOVE_MEANINGS = (Meaning.NONE, Meaning.WITHDRAW, Meaning.ACKNOWLEDGE)


@dataclass(frozen=True, kw_only=True)
class RouteSpec:
    """The scope of a route, and the project and issue type that it leads to."""

    team: Team | None = None
    subject_kind: str = ""
    work: str = ""
    project: str
    issue_type: str


def add_route(*, site: TicketSite, spec: RouteSpec, by: User | None, now: datetime) -> TicketRoute:
    """Add a route. Tickets that wait for a route take it at once, if its site is active."""
    need_site_manager(by)
    with transaction.atomic():
        row = locked_site(site)
        _check_spec(spec, route=None)
        with refused_if_taken(Invalid(_SCOPE_TAKEN)):
            route = TicketRoute.objects.create(site=row, **_columns(spec))
        _forget_test(row)
        _route_waiting(row, by, now)
        _record("added", route, by, now, _words(spec))
    return route


def change_route(*, route: TicketRoute, spec: RouteSpec, by: User | None, now: datetime) -> TicketRoute:
    """Change scope, project or issue type. Fields and statuses of another project are forgotten."""
    need_site_manager(by)
    with transaction.atomic():
        row = locked_route(route)
        _check_spec(spec, route=row)
        is_elsewhere = (row.project, row.issue_type) != (spec.project.strip(), spec.issue_type.strip())
        fields: dict[str, Any] = {"fields": {}, "field_map": {}, "statuses": {}, "moves": {}} if is_elsewhere else {}
        for name, value in (_columns(spec) | fields).items():
            setattr(row, name, value)
        with refused_if_taken(Invalid(_SCOPE_TAKEN)):
            row.save()
        _forget_test(row.site)
        _route_waiting(row.site, by, now)
        _record("changed", row, by, now, _words(spec))
    return row


def map_fields(
    *,
    route: TicketRoute,
    field_map: Mapping[str, FieldTarget],
    fields: Mapping[str, Any],
    by: User | None,
    now: datetime,
) -> TicketRoute:
    """Set which field holds which value, and the fixed `fields` of every ticket, by field id."""
    need_site_manager(by)
    with transaction.atomic():
        row = locked_route(route)
        _check_map(field_map, fields)
        row.field_map = {name: {"id": target.id, "kind": target.kind.value} for name, target in field_map.items()}
        row.fields = dict(fields)
        row.save(update_fields=["field_map", "fields"])
        _forget_test(row.site)
        details = {"fields": sorted(fields), "map": {name: target.id for name, target in field_map.items()}}
        _record("fields_mapped", row, by, now, details)
    return row


def map_statuses(
    *,
    route: TicketRoute,
    statuses: Mapping[str, str],
    moves: Mapping[str, str],
    by: User | None,
    now: datetime,
) -> TicketRoute:
    """Set the status for each occasion and the meaning of moves, where they are not the usual ones."""
    need_site_manager(by)
    with transaction.atomic():
        row = locked_route(route)
        _check_statuses(statuses, moves)
        row.statuses, row.moves = dict(statuses), dict(moves)
        row.save(update_fields=["statuses", "moves"])
        _forget_test(row.site)
        _record("statuses_mapped", row, by, now, {"statuses": dict(statuses), "moves": dict(moves)})
    return row


def remove_route(*, route: TicketRoute, by: User | None, now: datetime) -> None:
    """Remove a route. Its tickets keep their site, and from then on the usual statuses. Refused while tickets wait."""
    need_site_manager(by)
    with transaction.atomic():
        row = locked_route(route)
        waiting = Ticket.objects.filter(route=row).exclude(state=TicketState.LINKED).count()
        if waiting:
            words = "1 ticket of this route waits" if waiting == 1 else f"{waiting} tickets of this route wait"
            raise WrongState(f"{words} to be opened.")
        if row.site.state == SiteState.ACTIVE and row.site.routes.count() == 1:
            raise WrongState("An active site needs a route: add another one first, or remove the site.")
        _record("removed", row, by, now, {"project": row.project})
        row.delete()


def _route_waiting(site: TicketSite, by: User | None, now: datetime) -> None:
    """Before the change of the route is recorded, because tickets are locked before the head of the audit trail."""
    if site.state == SiteState.ACTIVE:
        effects.route_waiting(by=by, now=now)


def _forget_test(site: TicketSite) -> None:
    """A site that is being set up must be tested with its routes as they are; an active one meets its tickets."""
    TicketSite.objects.filter(pk=site.pk).exclude(state=SiteState.ACTIVE).update(is_ok=None)


def _check_spec(spec: RouteSpec, *, route: TicketRoute | None) -> None:
    if not _is_name(spec.project, PROJECT_CHARS_MAX):
        raise Invalid("Choose the project in which tickets are opened.", field="project")
    if not _is_name(spec.issue_type, NAME_CHARS_MAX):
        raise Invalid("Choose the issue type of the tickets.", field="issue_type")
    if spec.subject_kind and spec.subject_kind not in set(SubjectKind):
        raise Invalid("This kind of model does not exist.", field="subject_kind")
    if spec.work and spec.work not in set(Work):
        raise Invalid("Tickets are about reviews or about action items.", field="work")
    same = TicketRoute.objects.filter(team=spec.team, subject_kind=spec.subject_kind, work=spec.work)
    other = same.exclude(pk=route.pk if route else 0).select_related("site").first()
    if other is not None:
        raise Invalid(f"The route {other} takes exactly these tickets already: change it, or narrow this one.")


def _check_map(field_map: Mapping[str, FieldTarget], fields: Mapping[str, Any]) -> None:
    for name, target in field_map.items():
        if name not in FIELD_VALUES:
            raise Invalid(f"There is no value {name!r} to fill a field with.")
        if not _is_name(target.id, FIELD_CHARS_MAX):
            raise Invalid("Choose a field of the list.", field=name)
        if target.kind not in kinds_for(name):
            label = FIELD_VALUES[name].label
            raise Invalid(f"{label} does not fit a field of the type {target.kind}: choose another field.", field=name)
    ids = [target.id for target in field_map.values()] + list(fields)
    if twice := sorted({each for each in ids if ids.count(each) > 1}):
        raise Invalid(f"The field {twice[0]} would be filled twice: choose it once.")
    if len(fields) > ENTRIES_MAX or not all(_is_name(name, FIELD_CHARS_MAX) for name in fields):
        raise Invalid("Choose the fixed fields from the list.")


def _check_statuses(statuses: Mapping[str, str], moves: Mapping[str, str]) -> None:
    if len(statuses) > ENTRIES_MAX or len(moves) > ENTRIES_MAX:
        raise Invalid(f"At most {ENTRIES_MAX} statuses can be mapped.")
    if unknown := sorted(set(statuses) - set(STATUSES)):
        raise Invalid(f"There is no event {unknown[0]!r} to set a status for: choose one of {', '.join(STATUSES)}.")
    if not all(_is_name(status, NAME_CHARS_MAX) for status in (*statuses.values(), *moves)):
        raise Invalid(f"A status has a name of at most {NAME_CHARS_MAX} characters.")
    if not set(moves.values()) <= {meaning.value for meaning in MOVE_MEANINGS}:
        raise Invalid("A move can withdraw a request, acknowledge it, or mean nothing.")


def _is_name(text: str, chars_max: int) -> bool:
    return bool(text.strip()) and len(text) <= chars_max and is_storable(text)


def _columns(spec: RouteSpec) -> dict[str, Any]:
    return {
        "team": spec.team,
        "subject_kind": spec.subject_kind,
        "work": spec.work,
        "project": spec.project.strip(),
        "issue_type": spec.issue_type.strip(),
    }


def _words(spec: RouteSpec) -> dict[str, str]:
    return {name: str(value) for name, value in _columns(spec).items() if value}


def _record(what: str, route: TicketRoute, by: User | None, now: datetime, details: dict[str, Any]) -> None:
    subject, reason = (effects.SITE, route.site.name), "" if by else ALONE
    kind = f"ticket_route.{what}"
    audit.record(kind=kind, by=by, subject=subject, details=details | {"route": route.pk}, reason=reason, now=now)
