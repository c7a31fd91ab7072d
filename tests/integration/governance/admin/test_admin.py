"""Django's admin: everything is read there, nothing of the business is done there, and roles go through the actions."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from benchmarking import models as benchmarking
from governance import models as governance
from governance.admin import ReadOnly
from reviews import models as reviews
from reviews.models import ReviewRequest

MACHINERY = {"AnsweredPost", "Pulse"}  # nothing in them is anybody's business
OURS = [
    model
    for model in admin.site._registry
    if model.__module__.partition(".")[0] in {"governance", "benchmarking", "reviews"}
]


@pytest.fixture
def root(admin: User) -> Client:
    """An administrator who is a superuser of Django as well."""
    admin.is_staff = admin.is_superuser = True
    admin.save()
    client = Client()
    client.force_login(admin)
    return client


def page(model: Any, what: str, *arguments: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=arguments)


def test_every_model_that_holds_business_is_registered() -> None:
    for room in (governance, benchmarking, reviews):
        for name in room.__all__:
            model = getattr(room, name)
            if hasattr(model, "_meta") and not model._meta.abstract and name not in MACHINERY:
                assert model in OURS, name


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_nothing_is_changed_or_removed(model: Any, root: Client, decided: ReviewRequest) -> None:
    assert root.get(page(model, "changelist")).status_code == 200
    row = model.objects.order_by("pk").first()
    if row is None:
        return
    before = model.objects.filter(pk=row.pk).values().get()
    assert root.post(page(model, "change", row.pk), {"state": "decided"}).status_code == 403
    if model is not governance.RoleGrant:
        assert root.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    if model not in {governance.RoleGrant, governance.Team}:
        assert root.get(page(model, "add")).status_code == 403
    assert model.objects.filter(pk=row.pk).values().get() == before


def test_a_vote_cannot_be_cast_in_the_admin(root: Client, in_review: ReviewRequest) -> None:
    fields = {"request": in_review.pk, "revision": 1, "stage": "technical", "choice": "approve", "person": 1}
    assert root.post(page(reviews.Vote, "add"), fields).status_code == 403
    assert reviews.Vote.objects.count() == 0


def test_roles_are_granted_and_revoked_through_the_actions(root: Client, outsider: User, admin: User) -> None:
    grant = governance.RoleGrant.objects.filter(user=outsider)
    answer = root.post(page(governance.RoleGrant, "add"), {"user": outsider.pk, "role": "reviewer", "team": ""})
    assert (answer.status_code, grant.filter(role="reviewer").count()) == (302, 1)
    event = governance.AuditEvent.objects.filter(kind="role.granted").last()
    assert event is not None
    assert (event.actor_id, event.source, event.subject) == (str(admin.pk), "admin", outsider.username)
    made = grant.get(role="reviewer")
    assert root.post(page(governance.RoleGrant, "delete", made.pk), {"post": "yes"}).status_code == 302
    assert grant.filter(role="reviewer").count() == 0
    again = root.post(page(governance.RoleGrant, "add"), {"user": outsider.pk, "role": "finance", "team": ""})
    assert again.status_code == 302
    ids = [grant.get(role="finance").pk]
    chosen = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
    assert root.post(page(governance.RoleGrant, "changelist"), chosen).status_code == 302
    assert [each.kind for each in governance.AuditEvent.objects.order_by("-position")[:3]] == [
        "role.revoked", "role.granted", "role.revoked",
    ]  # fmt: skip


def test_nobody_grants_themselves_a_role_there(root: Client, admin: User) -> None:
    answer = root.post(page(governance.RoleGrant, "add"), {"user": admin.pk, "role": "platform_lead", "team": ""})
    assert answer.status_code == 403
    assert not governance.RoleGrant.objects.filter(user=admin, role="platform_lead").exists()


def test_a_team_is_opened_through_the_action(root: Client) -> None:
    assert root.post(page(governance.Team, "add"), {"slug": "maps", "name": "Maps"}).status_code == 302
    assert governance.AuditEvent.objects.filter(kind="team.created", subject="maps", source="admin").exists()


def test_read_only_is_the_rule() -> None:
    assert all(isinstance(admin.site._registry[model], ReadOnly) for model in OURS)
