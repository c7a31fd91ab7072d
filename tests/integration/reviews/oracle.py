"""What must be true of one request after another, kept in sets and dictionaries; shares no code with the
application.
"""

from dataclasses import dataclass, field

METRICS = (
    "training_gpu_hours",
    "training_cost_usd",
    "inference_cost_1y_usd",
    "total_cost_1y_usd",
    "business_kpi_delta",
)
OPEN = {"draft", "cleared", "evidence", "in_review", "changes_requested"}
ROLE_OF = {"technical": "reviewer", "gpu-budget": "platform_lead"}


SMALL = {"training_gpu_hours": 10, "training_cost_usd": 300, "inference_cost_1y_usd": 600, "total_cost_1y_usd": 900}
BIG = {"training_gpu_hours": 320, "training_cost_usd": 20000, "inference_cost_1y_usd": 600, "total_cost_1y_usd": 60000}
LIMITS = {"training_gpu_hours": 200, "training_cost_usd": 10000, "total_cost_1y_usd": 50000}
OF_ENVIRONMENT = {"inference_cost_1y_usd", "total_cost_1y_usd"}
TOTAL, PARTS = "total_cost_1y_usd", ("training_cost_usd", "inference_cost_1y_usd")
QUORUM = {"technical": (2, 1), "gpu-budget": (1, 0)}
"""The approvals of a stage, and how many of them may come from the team."""


@dataclass
class Filed:
    """What stays on record of one request: its claims (time, metric, value), where it runs, and how it ended."""

    claims: list[tuple[int, str, int]] = field(default_factory=list)
    is_production: bool = True
    submitted_at: int | None = None
    is_reviewed: bool = False
    approved_at: int | None = None

    def latest(self, name: str, until: int | None = None) -> tuple[int, int] | None:
        """Time and value of the latest claim."""
        found = [(at, value) for at, metric, value in self.claims if metric == name and (until is None or at <= until)]
        return found[-1] if found else None

    def on_record(self, name: str) -> list[tuple[int, int]]:
        """The claims since submission, and the one that it was submitted with."""
        if self.submitted_at is None:
            return []
        filed = self.latest(name, self.submitted_at)
        later = [(at, value) for at, metric, value in self.claims if metric == name and at > self.submitted_at]
        return ([filed] if filed else []) + later


@dataclass
class Oracle:
    """The installation as far as reviews care: who holds which role, who owns the model, and the latest request."""

    roles: dict[str, set[str]]
    members: set[str]
    owner: str
    registrar: str
    former_owners: set[str] = field(default_factory=set)
    earlier: list[Filed] = field(default_factory=list)
    filed: Filed = field(default_factory=Filed)
    clock: int = 0
    state: str = "none"
    requester: str = ""
    named_owner: str = ""
    revision: int = 1
    editors: set[str] = field(default_factory=set)
    has_kpi: bool = False
    explained: set[tuple[str, int, int]] = field(default_factory=set)
    runs: list[str] = field(default_factory=list)
    frozen_runs: list[str] = field(default_factory=list)
    is_measured: bool = False
    is_answered: bool = False
    votes: dict[str, tuple[str, str]] = field(default_factory=dict)
    approvals: int = 0

    def create(self, who: str) -> bool:
        if who not in self.members or self.state in OPEN:
            return False
        kept = ("roles", "members", "owner", "registrar", "former_owners", "clock", "approvals")
        fresh = Oracle(**{name: getattr(self, name) for name in kept}, earlier=[*self.earlier, self.filed])
        self.__dict__.update(fresh.__dict__)
        self.state, self.requester, self.named_owner = "draft", who, self.owner
        return True

    def may_edit(self, who: str) -> bool:
        return who in self.members | {self.requester, self.owner}

    def edit(self, who: str, *, is_production: bool) -> bool:
        if not self.may_edit(who) or self.state != "draft":
            return False
        self.filed.is_production, self.named_owner = is_production, self.owner
        self.editors.add(who)
        return True

    def hand_over(self, to: str) -> None:
        """`to` becomes the owner: a mate names them, and they accept."""
        if to != self.owner:
            self.former_owners = self.former_owners | {self.owner}
            self.owner = to

    # metric values

    def stated(self, name: str) -> int:
        found = self.filed.latest(name)
        return found[1] if found else 0

    @property
    def has_parts(self) -> bool:
        return all(self.filed.latest(part) for part in PARTS)

    @property
    def cost(self) -> int:
        """The own total, never below its parts."""
        return max(self.stated(TOTAL), sum(self.stated(part) for part in PARTS))

    @property
    def booked(self) -> int:
        """What an approval commits: the total with every value that counts, never below its parts."""
        bound = self.binding(TOTAL)
        return max(bound[1] if bound else self.stated(TOTAL), sum(self.counts(part) or 0 for part in PARTS))

    def declare(self, who: str, name: str, *, is_big: bool) -> bool:
        if not self.may_edit(who) or self.state not in {"draft", "evidence"}:
            return False
        if name == "business_kpi_delta":
            self.has_kpi = True
        else:
            value = (BIG if is_big else SMALL)[name]
            if name == TOTAL and self.has_parts and value < sum(self.stated(part) for part in PARTS):
                return False
            self.clock += 1
            self.filed.claims.append((self.clock, name, value))
        self.editors.add(who)
        return True

    def binding(self, name: str) -> tuple[int, int] | None:
        """The worst value on record, if it is worse than the own one that counts."""
        own = self.filed.latest(name)
        counted = self.cost if name == TOTAL and self.has_parts else own[1] if own else None
        if counted is None:
            return None
        same = [one for one in self.earlier if one.is_production == self.filed.is_production]
        settling = max((one for one in same if one.approved_at), key=lambda one: one.approved_at or 0, default=None)
        record = list(self.filed.on_record(name))
        for one in self.earlier if name not in OF_ENVIRONMENT else same:
            for at, value in one.on_record(name):
                is_settled = settling is not None and at <= (settling.approved_at or 0)
                if not is_settled or (one is settling and (at, value) == one.latest(name, settling.approved_at)):
                    record.append((at, value))
        worse = sorted((-value, at) for at, value in record if value > counted)
        return (worse[0][1], -worse[0][0]) if worse else None

    def counts(self, name: str) -> int | None:
        """The value that the policy sees; None where it cannot tell."""
        if name == TOTAL:
            parts = [self.counts(part) for part in PARTS]
            if None in parts:
                return None
            bound = self.binding(TOTAL)
            return max(self.stated(TOTAL), sum(part for part in parts if part is not None), bound[1] if bound else 0)
        own, bound = self.filed.latest(name), self.binding(name)
        return None if own is None else bound[1] if bound else own[1]

    def contradictions(self) -> set[tuple[str, int, int]]:
        """The own claims that values on record contradict; a computed total is no claim."""
        found = set()
        for name in SMALL:
            own, bound = self.filed.latest(name), self.binding(name)
            if name == TOTAL and (not self.has_parts or self.stated(TOTAL) < self.cost):
                continue
            if own and bound:
                found.add((name, own[0], bound[0]))
        return found

    def explain(self, who: str) -> bool:
        """Explain every contradiction that is open."""
        missing = self.contradictions() - self.explained
        if not missing or not self.may_edit(who) or self.state not in {"draft", "evidence"}:
            return False
        self.explained |= missing
        self.editors.add(who)
        return True

    # steps

    def submit(self, who: str) -> bool:
        if not self.may_edit(who) or self.state != "draft":
            return False
        self.filed.submitted_at = self.clock
        is_small = all((self.counts(name) or limit + 1) <= limit for name, limit in LIMITS.items())
        is_new = not any(one.is_reviewed for one in self.earlier if one.is_production == self.filed.is_production)
        if is_small and is_new and not self.filed.is_production:
            self.state = "cleared"
        else:
            self.state, self.runs, self.filed.is_reviewed = "evidence", ["queued"], True
            self.editors.add(who)
        return True

    def answer(self, who: str) -> bool:
        if not self.may_edit(who) or self.state != "evidence":
            return False
        self.is_answered = True
        self.editors.add(who)
        return True

    def repeat(self, who: str) -> bool:
        may = who in self.members or self.roles[who] & {"platform_lead", "admin"}
        if not may or self.runs[0] == "queued":
            return False
        self.runs.append("queued")
        self.editors.add(who)
        return True

    def finish(self, verdict: str) -> None:
        self.runs[self.runs.index("queued")] = verdict
        if verdict == "valid":
            self.is_measured = True
            if self.state == "in_review":
                self._reopen()

    def request_review(self, who: str) -> bool:
        is_ready = (
            self.is_measured
            and self.is_answered
            and self.has_kpi
            and self.has_parts
            and self.filed.latest("training_gpu_hours") is not None
            and self.contradictions() <= self.explained
            and "queued" not in self.runs
        )
        if not self.may_edit(who) or self.state != "evidence" or not is_ready:
            return False
        self.state, self.frozen_runs = "in_review", list(self.runs)
        return True

    def interested(self) -> set[str]:
        return self.editors | self.former_owners | {self.requester, self.owner, self.named_owner, self.registrar}

    def approved(self, stage: str) -> list[str]:
        """The people whose approvals count: those who have the role now, and not too many of the team."""
        given = [
            who for who, vote in self.votes.items() if vote == (stage, "approve") and ROLE_OF[stage] in self.roles[who]
        ]
        inside = [who for who in given if who in self.members][: QUORUM[stage][1]]
        return [who for who in given if who not in self.members or who in inside]

    def open_stage(self) -> str:
        return "technical" if len(self.approved("technical")) < QUORUM["technical"][0] else "gpu-budget"

    def vote(self, who: str, stage: str, choice: str) -> bool:
        may = ROLE_OF[stage] in self.roles[who] and who not in self.interested() and who not in self.votes
        inside = [one for one in self.approved(stage) if one in self.members]
        if who in self.members and len(inside) >= QUORUM[stage][1]:
            return False
        if self.state != "in_review" or not may or stage != self.open_stage():
            return False
        if choice == "approve" and stage == "gpu-budget" and self.runs != self.frozen_runs:
            return False
        self.votes[who] = (stage, choice)
        if choice == "reject":
            self.state = "rejected"
        elif choice == "request_changes":
            self.state = "changes_requested"
        elif stage == "gpu-budget":
            self.state, self.filed.approved_at = "approved", self.clock
            self.approvals += 1
        return True

    def revise(self, who: str) -> bool:
        if not self.may_edit(who) or self.state not in {"in_review", "changes_requested"}:
            return False
        self._reopen()
        return True

    def withdraw(self, who: str) -> bool:
        may = who in {self.requester, self.owner} or "admin" in self.roles[who]
        if not may or self.state not in {"draft", "evidence", "in_review", "changes_requested"}:
            return False
        self._end("withdrawn")
        return True

    def expire(self) -> bool:
        if self.state not in {"cleared", "evidence", "in_review", "changes_requested"}:
            return False
        self._end("expired")
        return True

    def _end(self, state: str) -> None:
        self.state = state
        self.runs = ["canceled" if run == "queued" else run for run in self.runs]

    def _reopen(self) -> None:
        self.state, self.votes = "evidence", {}
        self.revision += 1
