"""The steps after a review: packets, conditions, revoking an authorization."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from governance.jobs import actions as jobs
from governance.people.web.current_user import person_of, user_of
from reviews.authorizations.models import Authorization, Condition
from reviews.packets import actions as packet_actions
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.rulebook import policy_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import authorizations, waivers
from reviews.workflow.queries.view_course import packet_views
from reviews.workflow.web.page import load, perform_step
from reviews.workflow.web.step_forms import PlainForm, StepReasonForm, WaiverForm
from weighbridge.core.errors import NotFound


@require_http_methods(["GET", "HEAD", "POST"])
def packets(request: HttpRequest, ref: str) -> HttpResponse:
    """The current state of the packets; the page polls it while a packet is printed. POST freezes a new packet."""
    row = load(request, ref)
    if request.method != "POST":
        snapshot = snapshot_of(row, now=timezone.now())
        context = {"ref": ref, "packets": packet_views(snapshot, person=person_of(request))}
        return render(request, "reviews/workflow/_fragments/packets.html", context)

    def act() -> str:
        now = timezone.now()
        packet = packet_actions.request_packet(request=row, by=user_of(request), now=now)
        return f"Packet {packet.number} is frozen and is being printed."

    return perform_step(request, row, name="packet", form=PlainForm(request.POST), act=act, part="packets")


@require_POST
def retry_packet(request: HttpRequest, ref: str, number: int) -> HttpResponse:
    """Print a packet again."""
    row = load(request, ref)
    packet = packet_of(row, number)

    def act() -> str:
        jobs.retry(row=packet, by=user_of(request), now=timezone.now())
        return f"Packet {number} is being printed again."

    return perform_step(request, row, name="packet", form=PlainForm(request.POST), act=act, part="packets")


@require_POST
def revoke(request: HttpRequest, ref: str) -> HttpResponse:
    """Revoke the authorization."""
    row, form = load(request, ref), StepReasonForm(request.POST, auto_id="revoke-%s")
    authorization = authorization_of(row)

    def act() -> str:
        reason = form.cleaned_data["reason"]
        authorizations.revoke(authorization=authorization, reason=reason, by=user_of(request), now=timezone.now())
        return f"{authorization.number} is revoked; the gate denies this artifact from now on."

    return perform_step(request, row, name="revoke", form=form, act=act, part="authorization")


@require_POST
def confirm_condition(request: HttpRequest, ref: str, condition_id: int) -> HttpResponse:
    """Confirm that a condition is met."""
    row = load(request, ref)
    condition = Condition.objects.filter(pk=condition_id, authorization__decision__request=row).first()
    if condition is None:
        raise NotFound(f"{ref} has no such condition.")

    def act() -> str:
        authorizations.confirm_condition(condition=condition, by=user_of(request), now=timezone.now())
        return "The condition is met."

    return perform_step(request, row, name="condition", form=PlainForm(request.POST), act=act, part="authorization")


@require_POST
def waive(request: HttpRequest, ref: str) -> HttpResponse:
    """Waive a soft rule for some days."""
    row = load(request, ref)
    rules = [rule.id for rule in policy_of(row.policy).rules] if row.policy else []
    form = WaiverForm(request.POST, auto_id="waive-%s", rules=rules)

    def act() -> str:
        data = form.cleaned_data
        waivers.grant(
            request=row,
            rule_id=data["rule"],
            reason=data["reason"],
            valid_days=data["valid_days"],
            by=user_of(request),
            now=timezone.now(),
        )
        return f"{data['rule']} is waived for {data['valid_days']} days, and the policy was evaluated again."

    return perform_step(request, row, name="waive", form=form, act=act, part="policy")


def packet_of(row: ReviewRequest, number: int) -> Packet:
    """The packet with that number."""
    packet = row.packets.filter(number=number).first()
    if packet is None:
        raise NotFound(f"{row.ref} has no packet {number}.")
    return packet


def authorization_of(row: ReviewRequest) -> Authorization:
    """The authorization of an approved request."""
    authorization = Authorization.objects.filter(decision__request=row).first()
    if authorization is None:
        raise NotFound(f"{row.ref} has no authorization.")
    return authorization
