"""The adversary: sequences of calls by whoever it holds, with honest people around it."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from governance.people.actions import people
from governance.people.domain.roles import BINDING, Role
from governance.people.models import RoleGrant
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.promises.adversary.operations import LIES, POOLS, bodies, body_of, operations
from tests.promises.adversary.scene import Scene
from tests.promises.adversary.verdict import Verdict
from weighbridge.core.errors import Refused

ARTIFACTS = st.sampled_from(["rejected", "pending", "revoked", "conditional", "fresh"])
PLACES = ("dev", "prod")
LOW = {"training_gpu_hours": "1", "training_cost_usd": "10", "inference_cost_1y_usd": "10", "business_kpi_delta": "0.1"}
SHOWN = 90


class Adversary(RuleBasedStateMachine):
    """One example: everything happens in a transaction that is rolled back at its end."""

    scene: Scene
    held: tuple[str, ...]
    done: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.story: list[str] = []
        self.clients = {name: _client(user) for name, user in self.scene.people.items()}
        self.verdict = Verdict(self.scene, self.held)
        self.purposes = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    # calls

    def call(self, who: str, verb: str, path: str, body: dict[str, Any] | None = None, **form: Any) -> dict[str, Any]:
        """One call of the API, kept for the story. Refusals are answers too; a server error never is."""
        sent: dict[str, Any] = {"data": form} if form else {"data": body or {}, "content_type": "application/json"}
        with transaction.atomic():
            response = getattr(self.clients[who], verb)(f"/api/v1/{path}", **sent)
        words = json.dumps(form or body or {}, default=str)[:SHOWN]
        self.story.append(f"{who}: {verb.upper()} {path} {words} -> {response.status_code}")
        if response.status_code < 300:
            self.done[path.rstrip("/").rpartition("/")[2]] += 1
        assert response.status_code < 500, self.told("a server error")
        is_json = response.status_code < 300 and response.headers.get("Content-Type", "").startswith("application/json")
        found = response.json() if is_json else {}
        return found if isinstance(found, dict) else {}

    def told(self, what: str) -> str:
        return "\n".join([f"The adversary held {' and '.join(self.held)}.", *self.story, f"Then: {what}."])

    def one_of_us(self, pick: int) -> str:
        return self.held[pick % len(self.held)]

    def refs(self) -> list[str]:
        return list(ReviewRequest.objects.order_by("-pk").values_list("ref", flat=True))

    # what a requester may try

    @rule(pick=st.integers(0, 1), artifact=ARTIFACTS)
    def file_with_lies(self, pick: int, artifact: str) -> None:
        """Register the same bytes, file them with low figures wherever they may run, and submit."""
        who, digest = self.one_of_us(pick), self.scene.digests[artifact]
        if who == "outsider":
            fields = {
                "team": "ads",
                "slug": artifact,
                "name": artifact,
                "version": "1",
                "tier": "T3",
                "task": "classification",
                "owner": who,
            }
            self.call(who, "post", "models/", **fields, uri="https://models.test/m.onnx", sha256=digest)
        for place in PLACES:
            self._file(who, digest, place, LOW)

    @rule(pick=st.integers(0, 1), place=st.sampled_from(PLACES))
    def file_a_total_below_its_parts(self, pick: int, place: str) -> None:
        figures = {**LOW, "inference_cost_1y_usd": "900000", "total_cost_1y_usd": "100"}
        self._file(self.one_of_us(pick), self.scene.digests["fresh"], place, figures)

    @rule(who=st.sampled_from(["author", "held"]), pick=st.integers(0, 1), artifact=ARTIFACTS, is_voted=st.booleans())
    def prepare(self, who: str, pick: int, artifact: str, is_voted: bool) -> None:
        """A request taken to its voters, with what a worker measures; perhaps they vote at once."""
        name = self.one_of_us(pick) if who == "held" else who
        ref = self._file(name, self.scene.digests[artifact], "dev", {**LOW, "training_gpu_hours": "300"})
        if not ref:
            return
        request, user = ReviewRequest.objects.get(ref=ref), self.scene.people[name]
        for step in (walks.take_results, walks.answer_everything, walks.explain_everything):
            self._quietly(lambda step=step: step(request=request, now=timezone.now(), **_by(step, user)))
        self.call(name, "post", f"requests/{ref}/review/")
        if is_voted:
            self._vote_on([ref], is_all=True)

    def _file(self, who: str, digest: str, place: str, figures: dict[str, str]) -> str:
        self.purposes += 1
        purpose = f"Purpose {self.purposes}"
        stated = [
            {"name": name, "value": value, "basis": "declared", "is_confirmed": True} for name, value in figures.items()
        ]
        texts = {"title": purpose, "purpose": purpose, "business_case": "It pays.", "environment": place}
        if who != "outsider":
            texts["dataset"] = self.scene.voted.dataset.digest
        made = self.call(who, "post", "requests/", {**texts, "model_version": digest, "metric_values": stated})
        ref = str(made.get("ref", ""))
        if not ref and len(stated) > len(LOW):  # the total was refused: try without it
            made = self.call(who, "post", "requests/", {**texts, "model_version": digest, "metric_values": stated[:-1]})
            ref = str(made.get("ref", ""))
        if ref:
            self.call(who, "post", f"requests/{ref}/submit/")
        return ref

    @rule(
        pick=st.integers(0, 1),
        place=st.integers(0, 3),
        metric=st.sampled_from(sorted(LOW)),
        value=st.sampled_from(LIES),
    )
    def state(self, pick: int, place: int, metric: str, value: str) -> None:
        refs = self.refs()
        body = {"name": metric, "value": value, "basis": "declared", "is_confirmed": True}
        self.call(self.one_of_us(pick), "post", f"requests/{refs[place % len(refs)]}/metric-values/", body)

    @rule(
        pick=st.integers(0, 1), slug=st.sampled_from(["voted", "fresh"]), to=st.sampled_from(["reviewer_one", "held"])
    )
    def name_owner(self, pick: int, slug: str, to: str) -> None:
        who = self.one_of_us(pick)
        owner = who if to == "held" else to
        version = self.scene.artifacts[slug]
        fields = {
            "team": "search",
            "slug": slug,
            "name": version.asset.name,
            "tier": "T1",
            "task": "classification",
            "owner": owner,
        }
        self.call(who, "post", "models/", **fields, version="2", uri="https://models.test/x.onnx", sha256="ab" * 32)

    # what a voter may try

    @rule(pick=st.integers(0, 1), place=st.integers(0, 3), stage=st.sampled_from(["technical", "gpu-budget"]))
    def approve(self, pick: int, place: int, stage: str) -> None:
        refs = self._in_review()
        if refs:
            body = {"stage": stage, "choice": "approve", "rationale": "Fine."}
            self.call(self.one_of_us(pick), "post", f"requests/{refs[place % len(refs)]}/votes/", body)

    def _in_review(self) -> list[str]:
        return list(ReviewRequest.objects.filter(state="in_review").order_by("-pk").values_list("ref", flat=True))

    # what money may try

    @rule(pick=st.integers(0, 1), amount=st.sampled_from(["1", "900000"]), unit=st.sampled_from(["USD", "gpu_h"]))
    def allocate(self, pick: int, amount: str, unit: str) -> None:
        body = {"team": "search", "quarter": "2026Q4", "unit": unit, "amount": amount, "reason": "We need more money."}
        self.call(self.one_of_us(pick), "post", "budgets/", body)

    @rule(pick=st.integers(0, 1), mode=st.sampled_from(["off", "observe"]), unit=st.sampled_from(["USD", "gpu_h"]))
    def loosen(self, pick: int, mode: str, unit: str) -> None:
        quarter = self.verdict.quarter
        body = {"mode": mode, "tolerance_percent": 0, "reason": "It stops our work."}
        self.call(self.one_of_us(pick), "post", f"budgets/search/{quarter}/{unit}/terms/", body)

    # everything else that is documented

    @rule(data=st.data(), pick=st.integers(0, 1), operation=st.sampled_from(operations()))
    def anything(self, data: st.DataObject, pick: int, operation: tuple[str, str]) -> None:
        pools = self._pools()
        verb, path = operation
        for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            path = path.replace(f"{{{name}}}", str(data.draw(st.sampled_from(pools.get(name, ["1"])), label=name)))
        body = data.draw(bodies(body_of(operation), pools), label="body")
        self.call(self.one_of_us(pick), verb, path.removeprefix("/api/v1/"), body)

    def _pools(self) -> dict[str, list[Any]]:
        from governance.inventory.models import ModelVersion
        from governance.people.approvals.models import Change
        from reviews.authorizations.models import Condition

        names = list(self.scene.people)
        return {
            **POOLS,
            "ref": self.refs(),
            "user": names,
            "owner": names,
            "model_version": list(self.scene.digests.values()),
            "version_id": list(ModelVersion.objects.values_list("pk", flat=True)) or [1],
            "change_id": list(Change.objects.values_list("pk", flat=True)) or [1],
            "condition_id": list(Condition.objects.values_list("pk", flat=True)) or [1],
            "conditions": [[]],
            "lifted_ids": [list(Condition.objects.values_list("pk", flat=True))],
        }

    # honest people, who trust what they see

    @rule(is_all=st.booleans())
    def honest_people_vote(self, is_all: bool) -> None:
        """The honest lead, and perhaps both honest reviewers before, approve what is asked of them."""
        self._vote_on(self._in_review(), is_all=is_all)

    def _vote_on(self, refs: list[str], *, is_all: bool) -> None:
        lead = next(who for who in ("approver", "other_lead") if who not in self.held)
        reviewers = ("reviewer_one", "reviewer_two") if is_all else ()
        voters = [*((who, "technical") for who in reviewers if who not in self.held), (lead, "gpu-budget")]
        for ref in refs:
            for who, stage in voters:
                body = {"stage": stage, "choice": "approve", "rationale": "Fine."}
                self.call(who, "post", f"requests/{ref}/votes/", body)

    @precondition(lambda self: RoleGrant.objects.filter(user__username__in=self.held, role__in=BINDING).exists())
    @rule()
    def honest_admin_takes_the_roles(self) -> None:
        for grant in RoleGrant.objects.filter(user__username__in=self.held, role__in=BINDING).select_related("user"):
            people.revoke_role(user=grant.user, role=Role(grant.role), by=None, now=timezone.now())
        self.story.append(f"An administrator took the roles of {' and '.join(self.held)}.")

    def _quietly(self, act: Callable[[], object]) -> None:
        try:
            with transaction.atomic():
                act()
        except Refused as refusal:
            self.story.append(f"(refused: {refusal.reason[:SHOWN]})")

    # what must hold

    @invariant()
    def nobody_was_talked_round(self) -> None:
        for broken in self.verdict.broken():
            raise AssertionError(self.told(broken))


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _by(step: Callable[..., object], user: User) -> dict[str, Any]:
    return {} if step is walks.take_results else {"by": user}
