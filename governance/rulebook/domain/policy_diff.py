"""Differences between two versions of a policy, a checklist or a metric catalog, as sentences for approvers.

The comparison is by meaning: the spelling of numbers and the order of rules do not count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from governance.rulebook.domain.benchmark_plans import AlternativesPlan, BenchmarkPlan
from governance.rulebook.domain.checklists import Checklist, ChecklistItem
from governance.rulebook.domain.policy import Policy, PolicyRule
from governance.rulebook.domain.scopes import Scope
from governance.rulebook.domain.stages import Stage
from weighbridge.core.metrics.catalog import MetricCatalog, MetricDefinition
from weighbridge.core.metrics.standard import metric_words
from weighbridge.core.metrics.values import number_text

_FIELDS = {
    "authorization.valid_days": "days of an authorization",
    "authorization.warn_days": "days of warning before an authorization ends",
    "authorization.alias_days": "days of an authorization of an alias",
    "deadline_days": "days until a request must be decided",
    "grace_days": "days of grace",
    "also": "further limits",
    "outside_team": "people from outside the team",
    "min_n": "smallest sample",
    "min_samples": "fewest samples",
    "min_length": "fewest characters",
    "on_indeterminate": "effect of what cannot be evaluated",
}
"""Fields whose names do not read as words."""

_KINDS = {Stage: "stage", ChecklistItem: "item", MetricDefinition: "metric"}

Member = PolicyRule | Stage | BenchmarkPlan | AlternativesPlan | ChecklistItem | MetricDefinition


@dataclass(frozen=True)
class PolicyDifference:
    """One difference; `before` is None for additions, `after` is None for removals."""

    path: str
    before: str | None
    after: str | None
    words: str


def diff(old: Policy, new: Policy) -> tuple[PolicyDifference, ...]:
    """All differences from `old` to `new`: fields of the policy first, then rules, stages and benchmarks."""
    old_stages, new_stages = _by_id(old.stages), _by_id(new.stages)
    return (
        *_fields("", _policy_fields(old), _policy_fields(new)),
        *_members("rules", _by_id(old.rules), _by_id(new.rules)),
        *_members("stages", old_stages, new_stages),
        *_order("stages", old_stages, new_stages),
        *_members("benchmarks", _plans(old), _plans(new)),
        *_members("", _alternatives(old), _alternatives(new)),
    )


def diff_checklists(old: Checklist, new: Checklist) -> tuple[PolicyDifference, ...]:
    """All differences from `old` to `new`: the title first, then the items, then their order."""
    old_items, new_items = _by_id(old.items), _by_id(new.items)
    return (
        *_fields("", {"title": old.title}, {"title": new.title}),
        *_members("items", old_items, new_items),
        *_order("items", old_items, new_items),
    )


def diff_catalogs(old: MetricCatalog, new: MetricCatalog) -> tuple[PolicyDifference, ...]:
    """All differences from `old` to `new`: the title first, then the metrics."""
    before, after = (dict[str, Member](catalog) for catalog in (old, new))
    return (
        *_fields("", {"title": old.title}, {"title": new.title}),
        *_members("metrics", before, after),
    )


def _by_id(members: Sequence[PolicyRule | Stage | ChecklistItem]) -> dict[str, Member]:
    return {member.id: member for member in members}


def _plans(policy: Policy) -> dict[str, BenchmarkPlan]:
    return {plan.scenario.value: plan for plan in policy.benchmarks}


def _alternatives(policy: Policy) -> dict[str, AlternativesPlan]:
    return {"alternatives": policy.alternatives} if policy.alternatives else {}


def _members(path: str, old: Mapping[str, Member], new: Mapping[str, Member]) -> Iterable[PolicyDifference]:
    for key in dict.fromkeys((*old, *new)):
        place = f"{path}[{key}]" if path else key
        if key not in old:
            summary = _summary(new[key])
            yield PolicyDifference(place, None, summary, f"{_name(new[key])} is new: {summary}.")
        elif key not in new:
            summary = _summary(old[key])
            yield PolicyDifference(place, summary, None, f"{_name(old[key])} was removed. It was: {summary}.")
        else:
            before, after = old[key], new[key]
            note, whose = _note(before, after), _name(before)
            yield from _fields(place, _member_fields(before), _member_fields(after), note=note, whose=whose)


def _fields(
    place: str, old: dict[str, str], new: dict[str, str], *, note: str = "", whose: str = ""
) -> Iterable[PolicyDifference]:
    for name, before in old.items():
        after = new[name]
        if before != after:
            path = f"{place}.{name}" if place else name
            suffix = note if name == "limit" else ""
            changed = f"changed from {before or 'nothing'} to {after or 'nothing'}{suffix}".rstrip(".")
            yield PolicyDifference(path, before, after, f"{_subject(name, whose)} {changed}.")


def _subject(name: str, whose: str) -> str:
    """What changed, as the beginning of a sentence: a field of a member, or of the policy itself."""
    part = name.rpartition(".")[2].replace("_", " ")
    words = _FIELDS.get(name) or (f"{part} in scope" if name.startswith("scope.") else _spaced(name))
    return f"{whose}: {words}" if whose else f"{words[:1].upper()}{words[1:]}"


def _spaced(slug: str) -> str:
    return slug.replace("_", " ").replace(".", " ")


def _name(member: Member) -> str:
    if isinstance(member, PolicyRule):
        return f"The rule “{member.condition}”"
    if isinstance(member, AlternativesPlan):
        return "The search for cheaper variants"
    if isinstance(member, BenchmarkPlan):
        return f"The benchmark {member.scenario}"
    return f"The {_KINDS[type(member)]} “{_title(member)}”"


def _title(member: Member) -> str:
    return getattr(member, "title", "")


def _order(path: str, old: Mapping[str, Member], new: Mapping[str, Member]) -> Iterable[PolicyDifference]:
    before, after = (", ".join(_title(new[key]) for key in each if key in old and key in new) for each in (old, new))
    if before != after:
        yield PolicyDifference(path, before, after, f"The order of the {path} changed from {before} to {after}.")


def _policy_fields(policy: Policy) -> dict[str, str]:
    return {
        "name": policy.name,
        "title": policy.title,
        "description": policy.description,
        **_scope_fields("applies_to", policy.applies_to),
        "precedence": str(policy.precedence),
        "checklist": policy.checklist,
        "authorization.valid_days": str(policy.authorization.valid_days),
        "authorization.warn_days": str(policy.authorization.warn_days),
        "authorization.alias_days": str(policy.authorization.alias_days),
        "deadline_days": str(policy.deadline_days),
        "grace_days": str(policy.grace_days),
        "evaluation_sets": ", ".join(policy.evaluation_sets) or "any governed set",
        **{f"trust.{name}": value for name, value in policy.trust.fields.items()},
        **{f"inheritance.{name}": value for name, value in policy.inheritance.fields.items()},
        **{f"monitoring.{name}": value for name, value in policy.monitoring.fields.items()},
    }


def _member_fields(member: Member) -> dict[str, str]:
    if isinstance(member, PolicyRule):
        return _rule_fields(member)
    if isinstance(member, Stage):
        return {
            "title": member.title,
            "role": member.role.label.lower(),
            "quorum": str(member.quorum),
            "outside_team": str(member.outside_team),
            "when": member.when.condition if member.when else "always",
            "after": "all before it" if member.after is None else ", ".join(member.after) or "nothing",
            **_scope_fields("scope", member.scope),
        }
    if isinstance(member, ChecklistItem):
        return {
            "kind": _spaced(member.kind.value),
            "title": member.title,
            "help": member.help,
            "required": "yes" if member.required else "no",
            "metrics": ", ".join(map(metric_words, member.metrics)),
            "accept": ", ".join(member.accept),
            "min_length": str(member.min_length),
            "options": ", ".join(member.options),
            "answered_by": _spaced(", ".join(member.answered_by)),
            "shown_when": member.shown_when.words or "always",
            "may_waive": "yes" if member.may_waive else "no",
        }
    if isinstance(member, MetricDefinition):
        return _definition_fields(member)
    if isinstance(member, AlternativesPlan):
        return {
            "variants": ", ".join(member.variants),
            "max_quality_drop": number_text(member.max_quality_drop),
            "calibration_rows": str(member.calibration_rows),
            "hardware": member.hardware.value,
        }
    return {
        "min_samples": str(member.min_samples),
        "needs_data": "yes" if member.needs_data else "no",
        "hardware": member.hardware.value,
        "settings": member.settings_words,
        "metrics": ", ".join(map(metric_words, member.metrics)),
        "sizes": ", ".join(f"{name} {size}" for name, size in member.sizes),
    }


def _scope_fields(place: str, scope: Scope) -> dict[str, str]:
    return {f"{place}.{field.name}": ", ".join(sorted(getattr(scope, field.name))) for field in fields(scope)}


def _definition_fields(definition: MetricDefinition) -> dict[str, str]:
    return {
        "label": definition.title,
        "unit": definition.unit,
        "meaning": definition.meaning,
        "minimum": "" if definition.minimum is None else number_text(definition.minimum),
        "maximum": "" if definition.maximum is None else number_text(definition.maximum),
        "group": definition.group.value,
        "bases": ", ".join(definition.bases),
        "producers": ", ".join(definition.producers),
        "has_parameter": "yes" if definition.has_parameter else "no",
        "retired": "yes" if definition.is_retired else "no",
    }


def _rule_fields(rule: PolicyRule) -> dict[str, str]:
    return {
        "metric": metric_words(rule.metric),
        "comparator": rule.comparator.words,
        "limit": rule.limit_words,
        "also": f" {rule.combination} of ".join(each.condition for each in rule.also),
        "accept": ", ".join(rule.accept),
        "statistic": rule.statistic.value,
        "min_n": str(rule.min_n),
        **_scope_fields("scope", rule.scope),
        "effect": _spaced(rule.effect.value),
        "level": rule.level.value,
        "on_indeterminate": _spaced(rule.on_indeterminate.value),
        "message": rule.message,
    }


def _summary(member: Member) -> str:
    if isinstance(member, PolicyRule):
        return f"{member.condition}, else {_spaced(member.effect)} ({member.level})"
    if isinstance(member, Stage):
        return f"{member.title}, {member.quorum} of role {member.role.label.lower()}"
    if isinstance(member, ChecklistItem):
        return f"{member.title} ({_spaced(member.kind)}{'' if member.required else ', optional'})"
    if isinstance(member, AlternativesPlan):
        return member.words
    if isinstance(member, MetricDefinition):
        return f"{member.title} in {member.unit}, {member.direction}"
    return f"{member.scenario} with at least {member.min_samples} samples"


def _note(old: Member, new: Member) -> str:
    """Whether a changed limit is stricter or looser; empty if the rule changed in other ways."""
    if not isinstance(old, PolicyRule) or not isinstance(new, PolicyRule) or old.limit == new.limit:
        return ""
    if (old.metric, old.comparator) != (new.metric, new.comparator):
        return ""
    return ", which is looser" if (new.limit > old.limit) == new.comparator.is_ceiling else ", which is stricter"
