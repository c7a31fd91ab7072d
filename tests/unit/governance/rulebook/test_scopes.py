"""Scopes, and the choice of the one policy that judges a request."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.rulebook.domain.scopes import (
    EvaluationSubject,
    ModelTask,
    Scope,
    SubjectKind,
    check_unambiguous,
    chosen,
)
from tests.unit.governance.rulebook.builders import policy, rule
from weighbridge.core.errors import Invalid
from weighbridge.subjects.kinds import SUBJECT_KINDS

VALUES = {
    "kinds": "file",
    "formats": "onnx",
    "tasks": "ranking",
    "teams": "search",
    "tiers": "T1",
    "environments": "prod",
}
SUBJECT = EvaluationSubject(team="search", tier="T1", environment="prod", kind="file", format="onnx", task="ranking")


@dataclass(frozen=True)
class Named:
    """A policy as the choice sees it."""

    name: str
    applies_to: Scope
    precedence: int = 0


scopes = st.fixed_dictionaries(
    {name: st.sampled_from(((), (value,), ("other",), (value, "other"))) for name, value in VALUES.items()}
).map(lambda fields: Scope(**fields))


def test_the_kinds_are_those_of_the_toolkit():
    assert {kind.value for kind in SubjectKind} == set(SUBJECT_KINDS)
    assert all(kind.label for kind in SubjectKind)


@pytest.mark.parametrize("name", VALUES)
def test_each_dimension_selects_and_what_is_unknown_is_not_exempt(name):
    own = name.removesuffix("s")
    scope = Scope(**{name: (VALUES[name],)})
    assert scope.covers(SUBJECT)
    assert not scope.covers(replace(SUBJECT, **{own: "another"}))
    assert scope.covers(replace(SUBJECT, **{own: ""}))
    assert (scope.depth, scope.words) == (1, f"{name} {VALUES[name]}")


def test_a_scope_without_dimensions_covers_everything():
    assert (Scope().words, Scope().depth, Scope().covers(SUBJECT)) == ("everything", 0, True)


subjects = st.fixed_dictionaries(
    {name.removesuffix("s"): st.sampled_from((value, "other", "third")) for name, value in VALUES.items()}
).map(lambda fields: EvaluationSubject(**fields))


@given(scopes, scopes, subjects)
def test_scopes_that_cover_one_subject_meet(one, other, subject):
    if one.covers(subject) and other.covers(subject):
        assert one.meets(other)
    assert one.meets(other) == other.meets(one)


@given(st.lists(st.tuples(scopes, st.integers(0, 2)), max_size=5))
def test_an_unambiguous_set_has_one_policy_for_each_subject(drawn):
    candidates = [Named(f"p{place}", scope, precedence) for place, (scope, precedence) in enumerate(drawn)]
    try:
        check_unambiguous(candidates)
    except Invalid:
        return
    covering = [each for each in candidates if each.applies_to.covers(SUBJECT)]
    ranks = [(each.precedence, each.applies_to.depth) for each in covering]
    assert len(set(ranks)) == len(ranks)
    found = chosen(candidates, subject=SUBJECT)
    assert found is None if not covering else (found.precedence, found.applies_to.depth) == max(ranks)


@given(st.lists(st.tuples(scopes, st.integers(0, 2)), max_size=5), scopes, st.integers(0, 3), subjects)
def test_a_new_policy_judges_nothing_outside_its_scope(drawn, scope, precedence, subject):
    before = [Named(f"p{place}", each, rank) for place, (each, rank) in enumerate(drawn)]
    new = Named("new", scope, precedence)
    after = chosen([*before, new], subject=subject)
    assert after in (chosen(before, subject=subject), new)
    if after is new:
        assert scope.covers(subject)


def test_the_narrower_policy_judges_and_the_one_of_higher_precedence_before_it():
    general, ranking = Named("general", Scope()), Named("ranking", Scope(tasks=("ranking",)))
    narrow = Named("narrow", Scope(tasks=("ranking",), environments=("prod",)))
    first = Named("first", Scope(teams=("search",)), precedence=1)
    assert chosen([general, ranking, narrow], subject=SUBJECT) is narrow
    assert chosen([general, ranking, narrow, first], subject=SUBJECT) is first
    assert chosen([general, ranking], subject=replace(SUBJECT, task="detection")) is general
    assert chosen([ranking], subject=replace(SUBJECT, task="detection")) is None


def test_two_policies_for_one_request_are_refused_with_both_names():
    one, other = Named("one", Scope(tasks=("ranking",))), Named("other", Scope(teams=("search",)))
    with pytest.raises(Invalid, match=r"one \(tasks ranking\) and other \(teams search\)") as refusal:
        check_unambiguous([one, other])
    assert (refusal.value.code, refusal.value.field) == ("ambiguous_scope", "applies_to")
    check_unambiguous([one, Named("apart", Scope(tasks=("detection",)))])


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        (
            {"applies_to": {"kinds": ["folder"]}},
            "applies_to.kinds",
            "file, manifest, container, managed, pipeline, deployment",
        ),
        ({"applies_to": {"tasks": ["guessing"]}}, "applies_to.tasks", "classification"),
        ({"applies_to": {"languages": ["en"]}}, "applies_to.languages", "unknown"),
        ({"precedence": -1}, "precedence", "0 or more"),
        ({"precedence": 1001}, "precedence", "at most 1,000"),
    ],
)
def test_a_faulty_scope_is_refused_with_its_path(fields, field, words):
    with pytest.raises(Invalid, match=words) as refusal:
        policy(rule(), **fields)
    assert refusal.value.field == field


def test_every_task_has_a_name_of_one_line():
    assert all(task.value == task.value.strip().lower() and len(task.value) <= 30 for task in ModelTask)
