"""The commands of operators, pipelines and the tutorials, typed as they stand at a server and a database of
the test.
"""

import dataclasses
import io
import json
import os
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django.live_server_helper import LiveServer

from governance.audit.actions import checkpoints as writes
from governance.audit.actions import record as audit
from governance.audit.queries import checkpoints
from governance.audit.queries.keys import public_key
from governance.bills.models import Bill
from governance.budgets.domain.quarters import Quarter
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import ApiToken, RoleGrant
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import PolicyVersion
from reviews.evidence.models import MetricRecord
from reviews.requests.models import ReviewRequest
from tests.contracts.prompt import Typed, type_in
from tests.contracts.shown import Shown, every_line
from tests.contracts.stages import LEFT_OUT
from tests.factories import requests as walks
from tests.factories.bills import csv_bytes
from tests.factories.costs import SPEC
from tests.factories.models import npz_bytes, onnx_bytes
from tests.factories.people import Cast, make_cast, make_person
from tests.factories.policies import LEAN
from tests.integration.conftest import (  # noqa: F401 -- fixtures
    checklist,
    installation,
    now,
    policy,
    signing_key_pem,
)
from tests.integration.toolkit.client.test_against_a_server import REQUEST
from tests.unit.governance.bills.test_scheduler import JOB

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@dataclasses.dataclass(frozen=True)
class World:
    """A server with a decided request, its people, and the folder a person stands in."""

    cast: Cast
    decided: ReviewRequest
    url: str
    folder: Path
    now: datetime

    def token(self) -> str:
        """A token of the author."""
        return people.create_token(user=self.cast.author, valid_days=1, by=None, now=self.now)


@dataclasses.dataclass(frozen=True)
class Page:
    """What a page's commands find, what stands in the place of its examples, and what must have come of them."""

    prepare: Callable[[World], Mapping[str, str]]
    came_of_it: Callable[[World, Typed], bool]
    codes: frozenset[int] = frozenset({0})


def at_the_server(world: World) -> Mapping[str, str]:
    """A request file with its model, and the address and the token of the examples."""
    (world.folder / "request.yaml").write_text(REQUEST)
    (world.folder / "model.onnx").write_bytes(onnx_bytes())
    (world.folder / "test.npz").write_bytes(npz_bytes())
    return {"https://weighbridge.example.org": world.url, "WEIGHBRIDGE_TOKEN=…": f"WEIGHBRIDGE_TOKEN={world.token()}"}


def with_tokens(world: World) -> Mapping[str, str]:
    """A service account; whoever looks at the trail has the role for it."""
    make_person("ci-vision", now=world.now)
    people.grant_role(user=world.cast.author, role=Role.AUDITOR, team=None, by=None, now=world.now)
    return {**at_the_server(world), "2026Q4": str(Quarter.of(world.now.date()))}


def with_the_model(world: World) -> Mapping[str, str]:
    """The file that was decided on."""
    (world.folder / "model.onnx").write_bytes(onnx_bytes())
    return {}


def with_the_feed(world: World) -> Mapping[str, str]:
    """The feed as the demo leaves it, and the digest of its summary."""
    folder = world.folder / "var/demo"
    folder.mkdir(parents=True)
    call_command("write_feed", str(folder / "feed.json"), stdout=io.StringIO())
    (folder / "public-key.pem").write_text(public_key())
    return {"sha256:…": world.decided.model_version.digest}


OURS = {"model": "openai/assistant", "api_base": "https://gpu.example.org/v1"}


def with_a_gateway(world: World) -> Mapping[str, str]:
    """The feed, the key, and the configuration of a gateway with an allowed model and another one."""
    call_command("write_feed", str(world.folder / "feed.json"), stdout=io.StringIO())
    (world.folder / "signing.pub").write_text(public_key())
    rows = [
        {"model_name": name, "litellm_params": OURS, "model_info": {"weighbridge_digest": digest}}
        for name, digest in (("good", world.decided.model_version.digest), ("other", "sha256:" + "0" * 64))
    ]
    (world.folder / "config.yaml").write_text(yaml.safe_dump({"model_list": rows}))
    return {}


def filtered(world: World, _: Typed) -> bool:
    rows = yaml.safe_load((world.folder / "allowed.yaml").read_text())["model_list"]
    return [row["model_name"] for row in rows] == ["good"]


def with_versions(world: World) -> Mapping[str, str]:
    """Three more versions of the policy, the last one a draft with another limit."""
    for number in range(3):
        document = yaml.safe_load(LEAN)
        document["rules"][0]["message"] = f"As of version {number}."
        draft = rulebook.draft_policy(source=yaml.safe_dump(document), by=None, now=world.now)
        if number < 2:
            rulebook.publish(version=draft, by=None, now=world.now)
    name = PolicyVersion.objects.latest("pk").name
    return {"default 4": f"{name} 4"}


def with_grace(world: World) -> Mapping[str, str]:
    """One of the two exists; the other is made, and nobody is asked at a prompt."""
    make_person("grace", now=world.now)
    return {"createsuperuser": "createsuperuser --noinput --username ada --email ada@example.org"}


def in_production(world: World) -> Mapping[str, str]:
    """The check is of the production settings; the files of pages are only counted."""
    check = "python manage.py check"
    production = "DJANGO_SETTINGS_MODULE=config.settings.prod"
    return {
        **with_grace(world),
        check: f"{production} {check}",
        "collectstatic --noinput": "collectstatic --noinput --dry-run --verbosity 0",
    }


def with_a_spec(world: World) -> Mapping[str, str]:
    """A request in evidence, and a spec."""
    version = world.decided.model_version
    open_one = walks.make_submitted(by=world.cast.author, now=world.now, version=version, purpose="Another")
    return {"{…}": json.dumps(SPEC), "MRR-2026-0042": open_one.ref}


def with_checkpoint(world: World) -> Mapping[str, str]:
    with transaction.atomic():
        audit.record(kind="test.event", by=None, subject=("thing", "1"), now=world.now)
    row = writes.sign_head(now=world.now)
    assert row is not None
    text = checkpoints.signed_of(row).text
    (world.folder / "checkpoint.txt").write_text(text)
    (world.folder / "public.pem").write_text(public_key())
    return {"weighbridge-checkpoint-1;…": text}


def with_accounting(world: World) -> Mapping[str, str]:
    (world.folder / "2026-09.txt").write_bytes(csv_bytes([JOB], delimiter="|"))
    return {}


def with_a_bill(world: World) -> Mapping[str, str]:
    folder = world.folder / "var/demo/company/bills"
    folder.mkdir(parents=True)
    (folder / "FILE.csv").write_bytes(csv_bytes())
    return {}


def administers(world: World, _: Typed) -> bool:
    return {grant.user.username for grant in RoleGrant.objects.filter(role="admin")} >= {"ada", "grace"}


OPERATIONS: Mapping[str, Page] = {
    "docs/how-to/back-test-a-policy.md": Page(with_versions, lambda _, typed: "request" in typed.said),
    "docs/how-to/change-policies-and-roles.md": Page(with_grace, administers),
    "docs/how-to/create-tokens.md": Page(
        with_tokens,
        lambda world, _: (
            (world.folder / "ledger.csv").stat().st_size > 0
            and (world.folder / "audit.xlsx").read_bytes().startswith(b"PK")
            and ApiToken.objects.filter(user__username="ci-vision").count() == 1
        ),
    ),
    "docs/how-to/file-a-request.md": Page(at_the_server, lambda _, __: ReviewRequest.objects.count() == 2),
    "docs/how-to/gate-a-deployment.md": Page(with_the_model, lambda _, typed: typed.said.count("allowed") == 3),
    "docs/how-to/ingest-bills.md": Page(with_accounting, lambda _, __: Bill.objects.get().kind == "slurm"),
    "docs/how-to/run-in-production.md": Page(
        in_production, lambda world, typed: administers(world, typed) and (world.folder / "signing.pub").exists()
    ),
    "docs/how-to/add-costs-to-a-request.md": Page(
        with_a_spec,
        lambda _, __: MetricRecord.objects.get(name="total_cost_1y_usd", basis="estimated").value > 0,
    ),
    "docs/how-to/verify-the-trail.md": Page(with_checkpoint, lambda _, typed: typed.said.count("Genuine") == 3),
    "docs/tutorial/first-quarter.md": Page(with_a_bill, lambda _, __: Bill.objects.get().state == "queued"),
    "docs/how-to/add-a-gate.md": Page(with_a_gateway, filtered),
    "docs/how-to/rotate-the-signing-key.md": Page(
        lambda _: {}, lambda world, _: "PUBLIC KEY" in (world.folder / "new.pub").read_text()
    ),
    "docs/tutorial/first-review.md": Page(with_the_feed, lambda _, typed: "allowed" in typed.said),
}


@pytest.fixture
def world(
    live_server: LiveServer,
    policy: PolicyVersion,  # noqa: F811 -- fixtures
    tmp_path: Path,
    now: datetime,  # noqa: F811 -- fixtures
) -> World:
    cast = make_cast(now=now)
    folder = tmp_path / "here"
    folder.mkdir()
    return World(cast, walks.make_decided(cast=cast, now=now), live_server.url, folder, now)


def environment_of(world: World) -> dict[str, str]:
    """The variables of an installation: the test's own database, files and key, and a person's server and token."""
    found = connection.settings_dict
    libpq = {"PGHOST": found["HOST"], "PGUSER": found["USER"], "PGPASSWORD": found["PASSWORD"], "PGPORT": found["PORT"]}
    return {
        **{name: value for name, value in libpq.items() if value},
        "DATABASE_URL": f"postgresql:///{quote(found['NAME'])}",
        "WEIGHBRIDGE_VAR": str(world.folder.parent / "var"),
        "WEIGHBRIDGE_SIGNING_KEY": str(world.folder.parent / "signing.pem"),
        "WEIGHBRIDGE_SECRET_KEY": secrets.token_urlsafe(60),
        "WEIGHBRIDGE_HOSTS": "weighbridge.example.org",
        "WEIGHBRIDGE_PROXIES": "1",
        "WEIGHBRIDGE_BASE_URL": "https://weighbridge.example.org",
        "BROKER_URL": "filesystem://",
        "DJANGO_SUPERUSER_PASSWORD": "correct horse battery staple",
        "WEIGHBRIDGE_URL": world.url,
        "WEIGHBRIDGE_TOKEN": world.token(),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
    }


def lines_of(page: str, instead: Mapping[str, str]) -> list[str]:
    """What the page shows, with what a test has in the place of its examples."""

    def is_typed(shown: Shown) -> bool:
        return shown.page == page and not any(shown.program.startswith(command) for command in LEFT_OUT)

    lines = [shown.line for shown in every_line() if is_typed(shown)]
    for example, own in instead.items():
        assert any(example in line for line in lines), f"the page does not show {example}"
        lines = [line.replace(example, own) for line in lines]
    return lines


LONG = {f"docs/how-to/{name}.md" for name in ("change-policies-and-roles", "run-in-production", "verify-the-trail")}


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.nightly] if page in LONG else []) for page in OPERATIONS]
)
def test_the_commands_of_a_page_are_typed_as_they_stand(page: str, world: World) -> None:
    stage = OPERATIONS[page]
    instead = stage.prepare(world)
    typed = type_in(lines_of(page, instead), world.folder, **environment_of(world))
    assert set(typed.codes) <= stage.codes, typed.told()
    assert "Traceback" not in typed.said, typed.told()
    assert stage.came_of_it(world, typed), typed.told()
