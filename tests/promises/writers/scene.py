"""What is in the database before the trial: teams and budgets, people with roles, a policy that asks for votes."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import yaml
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from config.celery import app
from governance.budgets.actions import budgets
from governance.budgets.domain.quarters import Quarter
from governance.budgets.enums import BudgetUnit
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.rulebook.actions import documents as rulebook
from tests.factories.people import make_person, make_team
from tests.factories.policies import LEAN
from tests.factories.tickets import make_routed_site
from weighbridge.core import attestation
from weighbridge.core.secret_files import stored_secret

TOKEN = "stand-in-token"
BUDGETS = {BudgetUnit.USD: Decimal(100_000), BudgetUnit.GPU_H: Decimal(1_000)}
"""Three requests use up a team's GPU hours; the next waits until finance allocates more."""
CHECKLIST = """
apiVersion: weighbridge/v1
kind: ReviewChecklist
name: standard
title: Review of what people state
items:
  - id: owner-and-rollback
    kind: text
    title: Owner and rollback
    help: Who answers for the model in production, and how to go back to what ran before, in how many minutes.
    min_length: 40
  - id: rollback-rehearsed
    kind: attestation
    title: The rollback has been rehearsed
    help: Put your name to it only after you have seen it work.
"""
OTHERS = (Role.REVIEWER, Role.REVIEWER, Role.REVIEWER, Role.PLATFORM_LEAD, Role.PLATFORM_LEAD, Role.FINANCE)
SHARE_OF_OTHERS, TEAM_SIZE = 0.4, 4


@dataclass(frozen=True)
class Member:
    """A person of the trial with a token of the API and a session of the pages; `team` is "" except for requesters."""

    name: str
    role: Role
    team: str
    token: str
    session: str


def stated_alone(source: str) -> str:
    """The policy without its measurements, so that people alone bring a request to its decision."""
    document = yaml.safe_load(source)
    document["rules"] = [rule for rule in document["rules"] if rule["id"] == "training-gpu-hours"]
    document["benchmarks"] = []
    return yaml.safe_dump(document, sort_keys=False)


def make_scene(*, count: int, jira: str, now: datetime) -> list[Member]:
    """Fill a new database with `count` people, six in ten of them requesters, four of these in each team."""
    app.send_task = lambda *arguments, **options: None  # this process wakes nobody
    call_command("migrate", interactive=False, verbosity=0)
    stored_secret(settings.WEIGHBRIDGE["SIGNING_KEY"], attestation.new_key_pem)
    for draft, source in ((rulebook.draft_checklist, CHECKLIST), (rulebook.draft_policy, stated_alone(LEAN))):
        rulebook.publish(version=draft(source=source, by=None, now=now), by=None, now=now)
    others = max(len(OTHERS), round(count * SHARE_OF_OTHERS))
    finance = make_person("finance.first", Role.FINANCE, now=now)
    members = [_member(finance, Role.FINANCE, "", now)]
    for number in range(others - 1):
        role = OTHERS[number % len(OTHERS)]
        members.append(_member(make_person(f"{role.value}.{number}", role, now=now), role, "", now))
    for number in range(count - others):
        slug = f"team-{number // TEAM_SIZE}"
        if number % TEAM_SIZE == 0:
            team = make_team(slug=slug, now=now)
            for unit, amount in BUDGETS.items():
                names = {"holder": team, "quarter": str(Quarter.of(now.date())), "unit": unit, "amount": amount}
                budgets.allocate(**names, key=f"first:{slug}:{unit}", by=finance, now=now)
        person = make_person(f"requester.{number}", Role.REQUESTER, team=team, now=now)
        members.append(_member(person, Role.REQUESTER, slug, now))
    make_routed_site(now=now, url=jira, token=TOKEN, settle_s=1)
    return members


def _member(user: User, role: Role, team: str, now: datetime) -> Member:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    token = people.create_token(user=user, valid_days=1, by=None, now=now)
    return Member(user.username, role, team, token, client.cookies["sessionid"].value)
