"""Pages of the routes of a ticket site: scope, project and issue type, fields, statuses, and a preview."""

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import attempt, settled
from reviews.ticket_sync.actions import routes as writes
from reviews.ticket_sync.queries.asking import catalog
from reviews.ticket_sync.queries.previews import samples_for
from reviews.ticket_sync.web.forms import FieldMapForm, RouteForm, StatusMapForm
from reviews.ticket_sync.web.steps import route_of, shown, site_of
from reviews.tickets.domain.routing import Work
from reviews.tickets.jira.fields import FILLED_BY_US
from reviews.tickets.jira.flavors import FLAVORS
from reviews.tickets.models import TicketRoute, TicketSite
from reviews.tickets.ports import Block, TicketDraft
from weighbridge.core.errors import Refused

FORM = ["GET", "HEAD", "POST"]


@require_http_methods(FORM)
def new(request: HttpRequest, site_id: int) -> HttpResponse:
    """`/settings/tickets/ID/routes/new/`: which tickets go to which project."""
    return _route_page(request, site_of(request, site_id), None)


@require_http_methods(FORM)
def detail(request: HttpRequest, route_id: int) -> HttpResponse:
    """`/settings/tickets/routes/ID/`: change scope, project or issue type."""
    route = route_of(request, route_id)
    return _route_page(request, route.site, route)


@require_http_methods(FORM)
def fields(request: HttpRequest, route_id: int) -> HttpResponse:
    """`/settings/tickets/routes/ID/fields/`: which field of Jira holds which value."""
    route = route_of(request, route_id)
    choices, refusal = _asked(route, lambda jira: jira.fields())
    form = FieldMapForm(request.POST or None, route=route, choices=choices)

    def save(**by: Any) -> str:
        writes.map_fields(route=route, field_map=form.field_map(), fields=form.fixed_fields(), **by)
        return "The fields are saved."

    return _step(request, route, "Fields", form, refusal, save, redirect("reviews:ticket_route_statuses", route.pk))


@require_http_methods(FORM)
def statuses(request: HttpRequest, route_id: int) -> HttpResponse:
    """`/settings/tickets/routes/ID/statuses/`: which status for which state, and what a move means."""
    route = route_of(request, route_id)
    names, refusal = _asked(route, lambda jira: jira.statuses())
    form = StatusMapForm(request.POST or None, route=route, statuses=names)

    def save(**by: Any) -> str:
        writes.map_statuses(route=route, statuses=form.statuses(), moves=form.moves(), **by)
        return "The statuses are saved."

    return _step(
        request, route, "Statuses", form, refusal, save, redirect("reviews:ticket_site_webhook", route.site_id)
    )


@require_safe
def preview(request: HttpRequest, route_id: int) -> HttpResponse:
    """`/settings/tickets/routes/ID/preview/`: the ticket of a request or an action item. Nothing is sent."""
    route = route_of(request, route_id)
    offered, ref = samples_for(route, person=person_of(request)), request.GET.get("subject", "")
    chosen = next((sample for sample in offered if sample.ref == ref), offered[0] if offered else None)
    draft, payload, refusal, sent = None, "", "", dict[str, Any]()
    if chosen is not None:
        draft = chosen.draft(now=timezone.now())
        try:
            with catalog(route.site, route=route) as jira:
                sent = jira.preview(draft)["fields"]
                payload = json.dumps(sent, indent=2, ensure_ascii=False)
        except Refused as failure:
            refusal = failure.reason
    more: dict[str, Any] = {"offered": offered, "chosen": chosen, "draft": draft, "blocks": _blocks(draft)}
    more["word"] = "action item" if route.work == Work.ACTION_ITEM else "request"
    more["is_mixed"] = not route.work
    prose = FLAVORS[route.site.flavor].prose
    filled = {name: value for name, value in sent.items() if name not in FILLED_BY_US}
    more["filled"] = [(name, prose(value) if _is_document(value) else value) for name, value in filled.items()]
    more |= {"payload": payload, "refusal": refusal}
    return shown(request, "route_preview", site=route.site, route=route, step="Preview", **more)


def _is_document(value: Any) -> bool:
    return isinstance(value, dict) and "content" in value


def _blocks(draft: TicketDraft | None) -> list[tuple[str, Block]]:
    return [(type(block).__name__, block) for block in draft.body] if draft is not None else []


@require_POST
def remove(request: HttpRequest, route_id: int) -> HttpResponse:
    """Remove a route."""
    route = route_of(request, route_id)

    def act() -> str:
        writes.remove_route(route=route, by=user_of(request), now=timezone.now())
        return "The route is removed."

    attempt(request, act)
    return redirect("reviews:ticket_site", route.site_id)


def _route_page(request: HttpRequest, site: TicketSite, route: TicketRoute | None) -> HttpResponse:
    """The form of a route. Without scripts, the issue types appear after the button beside the project."""
    stored: dict[str, Any] = {}
    if route is not None:
        stored = {"team": route.team, "subject_kind": route.subject_kind, "work": route.work}
        stored |= {"project": route.project, "issue_type": route.issue_type}
    is_choosing = "show" in request.POST
    project = request.POST.get("project", stored.get("project", ""))
    projects, types, refusal = _lists(site, project)
    initial = {name: request.POST.get(name, "") for name in RouteForm.base_fields} if is_choosing else stored
    data = request.POST if request.method == "POST" and not is_choosing else None
    form, status = RouteForm(data, initial=initial, projects=projects, issue_types=types), 200
    if data is not None and not refusal:
        saved: list[TicketRoute] = []

        def act() -> str:
            spec = writes.RouteSpec(**form.cleaned_data)
            by, now = user_of(request), timezone.now()
            saved.append(
                writes.change_route(route=route, spec=spec, by=by, now=now)
                if route is not None
                else writes.add_route(site=site, spec=spec, by=by, now=now)
            )
            return f"Tickets open in {saved[0].project} as {saved[0].issue_type}."

        done, status = settled(request, form, act)
        if done:
            return redirect("reviews:ticket_route_fields", saved[0].pk)
    more = {"refusal": refusal, "has_types": bool(types)}
    return shown(request, "route", site=site, route=route, step="Project", form=form, status=status, **more)


def _lists(site: TicketSite, project: str) -> tuple[Any, Any, str]:
    """(projects, issue types of the project, why they could not be listed)."""
    try:
        with catalog(site) as jira:
            projects = jira.projects()
            is_known = project in {each.key for each in projects}
            return projects, jira.issue_types(project) if is_known else (), ""
    except Refused as failure:
        return (), (), failure.reason


def _asked(route: TicketRoute, ask: Any) -> tuple[Any, str]:
    try:
        with catalog(route.site, route=route) as jira:
            return ask(jira), ""
    except Refused as failure:
        return (), failure.reason


def _step(
    request: HttpRequest,
    route: TicketRoute,
    step: str,
    form: FieldMapForm | StatusMapForm,
    refusal: str,
    save: Callable[..., str],
    after: HttpResponse,
) -> HttpResponse:
    """The page of a form, or `after` once the form is saved. Nothing is saved while Jira does not list the choices."""
    status, site = 200, route.site
    if request.method == "POST" and not refusal:
        done, status = settled(request, form, lambda: save(by=user_of(request), now=timezone.now()))
        if done:
            return after
    return shown(request, "site_step", site=site, route=route, step=step, form=form, status=status, refusal=refusal)
