"""Differences between two versions of a policy, as sentences for approvers.

The comparison is by meaning: the order of rules and the spelling of numbers do not count, but the order of stages does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from governance.rulebook.domain.benchmark_plans import AlternativesPlan, BenchmarkPlan
from governance.rulebook.domain.policy import Policy, PolicyRule, Stage
from weighbridge.core.metrics import number_text

Member = PolicyRule | Stage | BenchmarkPlan | AlternativesPlan


@dataclass(frozen=True)
class PolicyDifference:
    """One difference; `before` is None for additions, `after` is None for removals."""

    path: str
    before: str | None
    after: str | None
    words: str


def diff(old: Policy, new: Policy) -> tuple[PolicyDifference, ...]:
    """All differences from `old` to `new`: fields of the policy first, then rules, stages and benchmarks."""
    return (
        *_fields("", _policy_fields(old), _policy_fields(new)),
        *_members("rules", {rule.id: rule for rule in old.rules}, {rule.id: rule for rule in new.rules}),
        *_members("stages", {each.id: each for each in old.stages}, {each.id: each for each in new.stages}),
        *_order(old.stages, new.stages),
        *_members("benchmarks", _plans(old), _plans(new)),
        *_members("", _alternatives(old), _alternatives(new)),
    )


def _plans(policy: Policy) -> dict[str, BenchmarkPlan]:
    return {plan.scenario.value: plan for plan in policy.benchmarks}


def _alternatives(policy: Policy) -> dict[str, AlternativesPlan]:
    return {"alternatives": policy.alternatives} if policy.alternatives else {}


def _members(path: str, old: Mapping[str, Member], new: Mapping[str, Member]) -> Iterable[PolicyDifference]:
    for key in dict.fromkeys((*old, *new)):
        place = f"{path}[{key}]" if path else key
        if key not in old:
            summary = _summary(new[key])
            yield PolicyDifference(place, None, summary, f"{place} is new: {summary}.")
        elif key not in new:
            summary = _summary(old[key])
            yield PolicyDifference(place, summary, None, f"{place} was removed. It was: {summary}.")
        else:
            before, after = old[key], new[key]
            yield from _fields(place, _member_fields(before), _member_fields(after), note=_note(before, after))


def _fields(place: str, old: dict[str, str], new: dict[str, str], *, note: str = "") -> Iterable[PolicyDifference]:
    for name, before in old.items():
        after = new[name]
        if before != after:
            path = f"{place}.{name}" if place else name
            suffix = note if name == "limit" else ""
            yield PolicyDifference(
                path, before, after, f"{path} changed from {before or 'nothing'} to {after or 'nothing'}{suffix}."
            )


def _order(old: tuple[Stage, ...], new: tuple[Stage, ...]) -> Iterable[PolicyDifference]:
    kept_before = [stage.id for stage in old if stage.id in {each.id for each in new}]
    kept_after = [stage.id for stage in new if stage.id in {each.id for each in old}]
    if kept_before != kept_after:
        before, after = ", ".join(kept_before), ", ".join(kept_after)
        yield PolicyDifference("stages", before, after, f"The order of the stages changed from {before} to {after}.")


def _policy_fields(policy: Policy) -> dict[str, str]:
    return {
        "name": policy.name,
        "title": policy.title,
        "description": policy.description,
        "checklist": policy.checklist,
        "authorization.valid_days": str(policy.authorization.valid_days),
        "authorization.warn_days": str(policy.authorization.warn_days),
        "deadline_days": str(policy.deadline_days),
        **{f"monitoring.{name}": value for name, value in policy.monitoring.fields.items()},
    }


def _member_fields(member: Member) -> dict[str, str]:
    if isinstance(member, PolicyRule):
        return _rule_fields(member)
    if isinstance(member, Stage):
        return {"title": member.title, "role": member.role.value, "quorum": str(member.quorum)}
    if isinstance(member, AlternativesPlan):
        return {
            "variants": ", ".join(member.variants),
            "max_quality_drop": number_text(member.max_quality_drop),
            "calibration_rows": str(member.calibration_rows),
            "hardware": member.hardware.value,
        }
    return {
        "min_samples": str(member.min_samples),
        "needs_data": str(member.needs_data).lower(),
        "hardware": member.hardware.value,
        "settings": member.settings_words,
    }


def _rule_fields(rule: PolicyRule) -> dict[str, str]:
    return {
        "metric": rule.metric,
        "comparator": rule.comparator.value,
        "limit": f"{number_text(rule.limit)} {rule.unit}",
        "accept": ", ".join(rule.accept),
        "statistic": rule.statistic.value,
        "min_n": str(rule.min_n),
        "scope.teams": ", ".join(sorted(rule.scope.teams)),
        "scope.tiers": ", ".join(sorted(rule.scope.tiers)),
        "scope.environments": ", ".join(sorted(rule.scope.environments)),
        "effect": rule.effect.value,
        "level": rule.level.value,
        "on_indeterminate": rule.on_indeterminate.value,
        "message": rule.message,
    }


def _summary(member: Member) -> str:
    if isinstance(member, PolicyRule):
        return f"{member.condition}, else {member.effect} ({member.level})"
    if isinstance(member, Stage):
        return f"{member.title}, {member.quorum} of role {member.role}"
    if isinstance(member, AlternativesPlan):
        return member.words
    return f"{member.scenario} with at least {member.min_samples} samples"


def _note(old: Member, new: Member) -> str:
    """Whether a changed limit is stricter or looser; empty if the rule changed in other ways."""
    if not isinstance(old, PolicyRule) or not isinstance(new, PolicyRule) or old.limit == new.limit:
        return ""
    if (old.metric, old.comparator) != (new.metric, new.comparator):
        return ""
    return ", which is looser" if (new.limit > old.limit) == new.comparator.is_ceiling else ", which is stricter"
