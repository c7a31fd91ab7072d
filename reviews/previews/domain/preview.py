"""The shapes of a preview: what would happen if a request was submitted now."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from governance.rulebook.domain.evaluation.completeness import ItemStatus
from governance.rulebook.domain.evaluation.policies import RuleResult
from governance.rulebook.domain.policy import Policy, PolicyRule, RuleEffect
from governance.rulebook.domain.scopes import Scope
from governance.rulebook.domain.stages import Stage
from reviews.previews.domain.needs import MetricNeed


@dataclass(frozen=True, kw_only=True)
class PreviewedRule:
    """A rule of the policy that applies, with its result for the values given."""

    rule_id: str
    condition: str
    message: str
    accept: tuple[str, ...]
    effect: str
    status: str
    reason: str

    @property
    def makes_mandatory(self) -> bool:
        """Whether the rule makes a review mandatory, or denies the request, on the values given."""
        return self.effect in {RuleEffect.REQUIRE_REVIEW, RuleEffect.DENY}


@dataclass(frozen=True, kw_only=True)
class PreviewedStage:
    """A stage of the review that the values given do not rule out."""

    id: str
    title: str
    role: str
    quorum: int
    part_words: str


@dataclass(frozen=True, kw_only=True)
class PreviewedItem:
    """A checklist item that is shown on the values given; `answered_by` says who answers it."""

    id: str
    title: str
    kind: str
    is_required: bool
    is_complete: bool
    reason: str
    metrics: tuple[str, ...]
    accept: tuple[str, ...]
    studies: tuple[str, ...]
    answered_by: tuple[str, ...]
    shown_when: str

    @property
    def is_answered_by_metrics(self) -> bool:
        """Whether metric values answer it, and not a person."""
        return bool(self.metrics)


@dataclass(frozen=True, kw_only=True)
class VersionName:
    """A published version of a policy or checklist; `html_url` is its page."""

    name: str
    number: int
    title: str
    digest: str
    html_url: str


@dataclass(frozen=True, kw_only=True)
class OtherPolicy:
    """A policy that judges models of other tasks, with the metrics that it and its checklist name."""

    name: str
    title: str
    tasks: tuple[str, ...]
    metrics: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RequestPreview:
    """The policy that would judge a request, why, and what it wants. `mandatory_because` is empty without a review.

    `amounts` is what an approval would commit, by unit. `digest` is that of the draft with its policy and checklist, ""
    for what is no draft; a submission that names it is refused once one of them changed.
    """

    policy: VersionName
    checklist: VersionName
    why: str
    outcome: str
    mandatory_because: tuple[str, ...]
    rules: tuple[PreviewedRule, ...]
    stages: tuple[PreviewedStage, ...]
    items: tuple[PreviewedItem, ...]
    needs: tuple[MetricNeed, ...]
    benchmarks: tuple[str, ...]
    evaluation_sets: tuple[str, ...]
    cannot_measure: str
    data_doubt: str
    other_policies: tuple[OtherPolicy, ...]
    deadline_days: int
    amounts: Mapping[str, Decimal]
    digest: str

    @property
    def is_mandatory(self) -> bool:
        """Whether a review would be mandatory on the values given."""
        return bool(self.mandatory_because)

    @property
    def dead_ends(self) -> tuple[MetricNeed, ...]:
        """The values that nobody can supply as the request stands."""
        return tuple(need for need in self.needs if need.is_dead_end)

    @property
    def missing(self) -> tuple[MetricNeed, ...]:
        """The values that are missing, and can be supplied."""
        return tuple(need for need in self.needs if not need.is_given and need.ways)

    @property
    def people_items(self) -> tuple[PreviewedItem, ...]:
        """The required items that people answer, or attach a study for, after submission."""
        return tuple(
            item for item in self.items if item.is_required and not item.is_answered_by_metrics and not item.is_complete
        )


def why_words(policy: Policy, *, others: tuple[Policy, ...]) -> str:
    """Why this policy judges the request and not the others that cover it, as sentences."""
    why = f"Its scope is {policy.applies_to.words}, with precedence {policy.precedence}."
    if not others:
        return f"{why} No other policy in force covers such a request."
    listed = "; ".join(f"{other.name} ({_rank_words(other.applies_to, other.precedence)})" for other in others)
    return f"{why} These also cover the request, and have a lower precedence or select fewer properties: {listed}."


def _rank_words(scope: Scope, precedence: int) -> str:
    return f"{scope.words}, precedence {precedence}"


def previewed_rule(rule: PolicyRule, result: RuleResult) -> PreviewedRule:
    """A rule with its result."""
    return PreviewedRule(
        rule_id=rule.id,
        condition=rule.condition,
        message=rule.message,
        accept=tuple(basis.value for basis in rule.accept),
        effect=result.effect.value if result.effect else "",
        status=result.status.value,
        reason=result.reason,
    )


def previewed_stage(stage: Stage) -> PreviewedStage:
    """A stage."""
    return PreviewedStage(
        id=stage.id, title=stage.title, role=stage.role.label, quorum=stage.quorum, part_words=stage.part_words
    )


def previewed_item(status: ItemStatus) -> PreviewedItem:
    """A checklist item with its state."""
    item = status.item
    return PreviewedItem(
        id=item.id,
        title=item.title,
        kind=item.kind.value,
        is_required=item.required,
        is_complete=status.is_complete,
        reason=status.reason,
        metrics=item.metrics,
        accept=tuple(basis.value for basis in item.accept),
        studies=tuple(kind.value for kind in item.studies),
        answered_by=tuple(name.replace("_", " ") for name in item.answered_by),
        shown_when=item.shown_when.words,
    )
