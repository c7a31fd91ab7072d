"""Django's admin: everything is read there, nothing of the business is done there, and roles go through the actions."""

from datetime import datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from governance.audit import models as audit_models
from governance.people import models as people_models
from governance.people.actions import people
from governance.people.domain.roles import BINDING, Role
from governance.site.admin import ReadOnly
from reviews.requests.models import ReviewRequest
from reviews.voting import models as reviews
from tests.factories.people import Cast, make_person
from tests.factories.snapshots import snapshot
from tests.tables import PACKAGES, own_models

MACHINERY = {"AnsweredPost", "Pulse"}  # nothing in them is anybody's business
PERSONAL = {"DraftVote", "LastLook", "ViewedPart"}  # only their owner sees them
OURS = [model for model in admin.site._registry if model.__module__.partition(".")[0] in PACKAGES]


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
    missing = [
        model.__name__ for model in own_models() if model not in OURS and model.__name__ not in MACHINERY | PERSONAL
    ]
    assert missing == []


def test_nothing_is_changed_or_removed(root: Client, decided: ReviewRequest, subtests: pytest.Subtests) -> None:
    for model in OURS:
        with subtests.test(model.__name__):
            check_read_only(root, model)


def check_read_only(root: Client, model: Any) -> None:
    assert root.get(page(model, "changelist")).status_code == 200
    row = model.objects.order_by("pk").first()
    if row is None:
        return
    before = model.objects.filter(pk=row.pk).values().get()
    assert root.post(page(model, "change", row.pk), {"state": "decided"}).status_code == 403
    if model is not people_models.RoleGrant:
        assert root.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    if model not in {people_models.RoleGrant, people_models.Team}:
        assert root.get(page(model, "add")).status_code == 403
    assert model.objects.filter(pk=row.pk).values().get() == before


def test_a_vote_cannot_be_cast_in_the_admin(root: Client, in_review: ReviewRequest) -> None:
    fields = {"request": in_review.pk, "revision": 1, "stage": "technical", "choice": "approve", "person": 1}
    assert root.post(page(reviews.Vote, "add"), fields).status_code == 403
    assert reviews.Vote.objects.count() == 0


def test_roles_are_granted_and_revoked_through_the_actions(root: Client, outsider: User, admin: User) -> None:
    grant = people_models.RoleGrant.objects.filter(user=outsider)
    answer = root.post(page(people_models.RoleGrant, "add"), {"user": outsider.pk, "role": "auditor", "team": ""})
    assert (answer.status_code, grant.filter(role="auditor").count()) == (302, 1)
    event = audit_models.AuditEvent.objects.filter(kind="role.granted").last()
    assert event is not None
    assert (event.actor_id, event.source, event.subject) == (str(admin.pk), "admin", outsider.username)
    made = grant.get(role="auditor")
    assert root.post(page(people_models.RoleGrant, "delete", made.pk), {"post": "yes"}).status_code == 302
    assert grant.filter(role="auditor").count() == 0
    again = root.post(page(people_models.RoleGrant, "add"), {"user": outsider.pk, "role": "auditor", "team": ""})
    assert again.status_code == 302
    ids = [grant.get(role="auditor").pk]
    chosen = {"action": "delete_selected", "_selected_action": ids, "post": "yes"}
    assert root.post(page(people_models.RoleGrant, "changelist"), chosen).status_code == 302
    assert [each.kind for each in audit_models.AuditEvent.objects.order_by("-position")[:3]] == [
        "role.revoked",
        "role.granted",
        "role.revoked",
    ]


def test_nobody_grants_themselves_a_role_there(root: Client, admin: User) -> None:
    answer = root.post(page(people_models.RoleGrant, "add"), {"user": admin.pk, "role": "platform_lead", "team": ""})
    assert answer.status_code == 403
    assert not people_models.RoleGrant.objects.filter(user=admin, role="platform_lead").exists()


@pytest.fixture
def second(now: datetime) -> User:
    """Another administrator."""
    return make_person("second.admin", Role.ADMIN, now=now)


@pytest.mark.parametrize("role", sorted(BINDING))
def test_no_role_that_binds_people_is_granted_there(root: Client, outsider: User, role: Role) -> None:
    before = snapshot()
    answer = root.post(page(people_models.RoleGrant, "add"), {"user": outsider.pk, "role": role.value, "team": ""})
    assert answer.status_code == 403
    assert "Two people must grant this role" in answer.content.decode()
    assert snapshot() == before


@pytest.mark.parametrize("person", ["reviewer_one", "approver", "finance", "second"])
def test_nobody_takes_the_account_of_whoever_binds_people(root: Client, cast: Cast, second: User, person: str) -> None:
    """With another's password, address or factor an administrator would be their own second person."""
    holder = second if person == "second" else getattr(cast, person)
    factor = Authenticator.objects.create(user=holder, type=Authenticator.Type.TOTP, data={})
    address = EmailAddress.objects.create(user=holder, email="new@example.org")
    before = list(User.objects.filter(pk=holder.pk).values())
    words = {"password1": "another horse battery", "password2": "another horse battery", "usable_password": "true"}
    tries = [
        (reverse("admin:auth_user_password_change", args=[holder.pk]), words),
        (
            page(User, "change", holder.pk),
            {"username": holder.username, "email": "mine@example.org", "is_active": "on"},
        ),
        (page(User, "delete", holder.pk), {"post": "yes"}),
        (page(Authenticator, "delete", factor.pk), {"post": "yes"}),
        (page(Authenticator, "add"), {"user": holder.pk, "type": "totp", "data": "{}"}),
        (page(EmailAddress, "change", address.pk), {"user": holder.pk, "email": "mine@example.org"}),
        (page(EmailAddress, "delete", address.pk), {"post": "yes"}),
        (page(EmailAddress, "add"), {"user": holder.pk, "email": "mine@example.org"}),
    ]
    assert [root.post(url, fields).status_code for url, fields in tries] == [403] * len(tries)
    for model, row in ((User, holder), (Authenticator, factor), (EmailAddress, address)):
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        assert root.post(page(model, "changelist"), chosen).status_code in {200, 302, 403}
    assert list(User.objects.filter(pk=holder.pk).values()) == before
    assert (Authenticator.objects.get(), EmailAddress.objects.get()) == (factor, address)


def test_nobody_is_renamed_because_the_trail_knows_people_by_their_names(root: Client, cast: Cast) -> None:
    fields = {"username": "somebody.else", "email": cast.outsider.email, "date_joined_0": "2026-01-01"}
    root.post(page(User, "change", cast.outsider.pk), fields | {"date_joined_1": "00:00:00"})
    assert User.objects.get(pk=cast.outsider.pk).username == "outsider"


def test_providers_of_identity_are_settings_alone() -> None:
    assert not {SocialAccount, SocialApp, SocialToken} & set(admin.site._registry)


def test_an_account_is_closed_through_the_action_and_stays_closed(root: Client, cast: Cast, second: User) -> None:
    chosen = {"action": "close", "_selected_action": [second.pk]}
    assert root.post(page(User, "changelist"), chosen).status_code == 302
    second.refresh_from_db()
    assert not second.is_active
    event = audit_models.AuditEvent.objects.latest("position")
    assert (event.kind, event.subject, event.source) == ("account.closed", "second.admin", "admin")
    assert (
        root.post(page(User, "change", second.pk), {"username": "second.admin", "is_active": "on"}).status_code == 403
    )
    own = {"action": "close", "_selected_action": [cast.admin.pk]}
    assert root.post(page(User, "changelist"), own).status_code == 403
    assert User.objects.get(pk=cast.admin.pk).is_active


def test_whoever_lost_a_factor_gets_help_once_their_roles_are_gone(root: Client, cast: Cast, now: datetime) -> None:
    factor = Authenticator.objects.create(user=cast.finance, type=Authenticator.Type.TOTP, data={})
    assert root.post(page(Authenticator, "delete", factor.pk), {"post": "yes"}).status_code == 403
    people.revoke_role(user=cast.finance, role=Role.FINANCE, by=cast.admin, now=now)
    assert root.post(page(Authenticator, "delete", factor.pk), {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.exists()


def test_a_team_is_opened_through_the_action(root: Client) -> None:
    assert root.post(page(people_models.Team, "add"), {"slug": "maps", "name": "Maps"}).status_code == 302
    assert audit_models.AuditEvent.objects.filter(kind="team.created", subject="maps", source="admin").exists()


def test_read_only_is_the_rule() -> None:
    assert all(isinstance(admin.site._registry[model], ReadOnly) for model in OURS)
