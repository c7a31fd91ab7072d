"""The stages of a review: who must approve, for which requests, and in which order."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from governance.people.domain.roles import Role
from governance.rulebook.domain.metric_limits import MetricLimit, read_limit
from governance.rulebook.domain.scopes import Scope, read_scope
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import metric_words

QUORUM_MAX = 100
APPROVES_MONEY = frozenset({Role.PLATFORM_LEAD, Role.FINANCE})


@dataclass(frozen=True)
class Stage:
    """A stage of the review: `quorum` different people with `role` must approve.

    `outside_team` of them must not file for the team of the request; for the roles that approve money, all of them.
    The stage is part of the review of a request that `scope` covers, unless the evidence shows that `when` does not
    hold. It opens when the stages `after` are complete; None means all stages before it.
    """

    id: str
    title: str
    role: Role
    quorum: int
    outside_team: int = 1
    scope: Scope = field(default_factory=Scope)
    when: MetricLimit | None = None
    after: tuple[str, ...] | None = None

    @property
    def part_words(self) -> str:
        """For which requests it is part of the review: `Total cost 1 year above 250,000 USD`; "" for all."""
        parts = (self.scope.words if self.scope.depth else "", _amount(self.when) if self.when else "")
        return "; ".join(filter(None, parts))


def _amount(limit: MetricLimit) -> str:
    return f"{metric_words(limit.metric)} {limit.comparator.words} {limit.limit.normalize():,f} {limit.unit}"


def read_stage(reader: Reader) -> Stage:
    """Read one entry of `stages`. Raises Invalid with the path of the first error."""
    role, quorum = reader.choice("role", Role), reader.whole("quorum", 1, at_least=1, at_most=QUORUM_MAX)
    least = quorum if role in APPROVES_MONEY else 1
    outside = reader.whole("outside_team", least, at_least=1, at_most=QUORUM_MAX)
    if not least <= outside <= quorum:
        wanted = str(quorum) if least == quorum else f"{least} to {quorum}"
        raise reader.fault("outside_team", f"must be {wanted} for the role {role} and a quorum of {quorum}.")
    return Stage(
        reader.text("id"),
        reader.text("title"),
        role,
        quorum,
        outside,
        read_scope(reader.mapping("scope")),
        _when(reader),
        reader.words("after") if reader.asks("after") else None,
    )


def _when(reader: Reader) -> MetricLimit | None:
    inner = reader.mapping("when")
    if not inner.has_keys:
        return None
    limit = read_limit(inner)
    inner.close()
    if limit.versus is not None:
        raise inner.fault("versus", "is for rules. A stage depends on a value alone.")
    return limit


def check_order(stages: Sequence[Stage]) -> None:
    """Raise Invalid for a stage that comes after one that is not listed before it."""
    for place, stage in enumerate(stages):
        before = {earlier.id for earlier in stages[:place]}
        unknown = sorted(set(stage.after or ()) - before)
        if unknown:
            text = f"stages[{place}].after names {unknown[0]!r}; name stages that are listed before it."
            raise Invalid(text, field=f"stages[{place}].after")


def ordered(stages: Sequence[Stage], *, taking_part: Collection[str]) -> tuple[Stage, ...]:
    """The stages that take part, each with `after` naming those of them that must be complete before it opens.

    A stage that takes no part is replaced by what it comes after, so that the order of the others stays.
    """
    before: dict[str, frozenset[str]] = {}
    for place, stage in enumerate(stages):
        direct = [earlier.id for earlier in stages[:place]] if stage.after is None else stage.after
        parts = (frozenset({name}) if name in taking_part else before[name] for name in direct)
        before[stage.id] = frozenset[str]().union(*parts)
    return tuple(replace(stage, after=tuple(sorted(before[stage.id]))) for stage in stages if stage.id in taking_part)
