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


@dataclass
class Oracle:
    """The installation as far as reviews care: who holds which role, who owns the model, and the latest request."""

    roles: dict[str, set[str]]
    members: set[str]
    owner: str
    state: str = "none"
    requester: str = ""
    named_owner: str = ""
    is_production: bool = True
    revision: int = 1
    editors: set[str] = field(default_factory=set)
    metric_values: dict[str, bool] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    frozen_runs: list[str] = field(default_factory=list)
    is_measured: bool = False
    is_answered: bool = False
    votes: dict[str, tuple[str, str]] = field(default_factory=dict)
    approvals: int = 0

    def create(self, who: str) -> bool:
        if who not in self.members or self.state in OPEN:
            return False
        fresh = Oracle(self.roles, self.members, self.owner, approvals=self.approvals)
        self.__dict__.update(fresh.__dict__)
        self.state, self.requester, self.named_owner = "draft", who, self.owner
        return True

    def may_edit(self, who: str) -> bool:
        return who in self.members | {self.requester, self.owner}

    def edit(self, who: str, *, is_production: bool) -> bool:
        if not self.may_edit(who) or self.state != "draft":
            return False
        self.is_production, self.named_owner = is_production, self.owner
        return True

    def declare(self, who: str, name: str, *, is_big: bool) -> bool:
        if not self.may_edit(who) or self.state not in {"draft", "evidence"}:
            return False
        self.metric_values[name] = is_big
        self.editors.add(who)
        return True

    def submit(self, who: str) -> bool:
        if not self.may_edit(who) or self.state != "draft":
            return False
        judged = ("training_gpu_hours", "training_cost_usd", "total_cost_1y_usd")
        is_small = all(self.metric_values.get(name) is False for name in judged)
        if is_small and not self.is_production:
            self.state = "cleared"
        else:
            self.state, self.runs = "evidence", ["queued"]
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
            and set(self.metric_values) == set(METRICS)
            and "queued" not in self.runs
        )
        if not self.may_edit(who) or self.state != "evidence" or not is_ready:
            return False
        self.state, self.frozen_runs = "in_review", list(self.runs)
        return True

    def stakes(self) -> set[str]:
        return self.editors | {self.requester, self.owner, self.named_owner}

    def approved(self, stage: str) -> int:
        return sum(vote == (stage, "approve") for who, vote in self.votes.items() if who not in self.stakes())

    def open_stage(self) -> str:
        return "technical" if self.approved("technical") < 2 else "gpu-budget"

    def vote(self, who: str, stage: str, choice: str) -> bool:
        may = ROLE_OF[stage] in self.roles[who] and who not in self.stakes() and who not in self.votes
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
            self.state = "approved"
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
