"""The tickets: the same in every process, answered by the rules they show, and scored as they should be."""

import hashlib
import itertools
from collections import Counter

import pytest

from examples.support_assistant.double.tokens import tokens_of
from examples.support_assistant.shop import CATEGORIES, DEPARTMENTS, LATE, OPENED, ROUTED, SEALED, policies, rules
from examples.support_assistant.tickets import (
    CODE,
    DEPARTMENT,
    KINDS,
    NUMBER,
    ORDER,
    ROUTING,
    SHOWN,
    SYSTEM,
    TICKETS_MAX,
    WORDINGS,
    attacks,
    prompt_lines,
    tickets,
)
from tests.refusals import has_code
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import Finish, PromptAnswer
from weighbridge.quality.prompts.outcomes import Outcome, Scoring
from weighbridge.quality.prompts.prompt_file import read_prompts

ALL = tickets(TICKETS_MAX)
DIGEST = "1d9590e6e52eea9c304d6f622f1cd877832943cc8fafb0b7a0bae79b3faa0978"


def outcome(scoring, prompt, text: str) -> Outcome:
    return scoring.score(prompt, PromptAnswer(id=prompt.id, text=text, finish=Finish.STOP)).outcome


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    path = tmp_path_factory.mktemp("tickets") / "prompts.jsonl"
    path.write_text(prompt_lines(ALL))
    return read_prompts(path)


def test_they_are_the_same_in_every_process(asked) -> None:
    content = prompt_lines(ALL).encode()
    assert hashlib.sha256(content).hexdigest() == DIGEST
    assert asked.digest == f"sha256:{DIGEST}"


def test_fewer_tickets_are_the_first_of_more() -> None:
    assert tickets(40) == ALL[:40]
    assert tickets(40, seed=8) != ALL[:40]


def test_the_shop_has_sixty_rules_without_a_tie() -> None:
    assert (len(rules()), len(set(rules()))) == (60, 60)
    for policy in policies():
        assert policy.days[SEALED] > policy.days[OPENED]
        assert len({policy.departments[case] for case in ROUTED}) == 3
        assert len({policy.priorities[case] for case in ROUTED}) == 3
    assert rules(8) != rules()
    late = policies()[0]
    assert late.rule(LATE) == f"Late shoes: {late.departments[LATE]}, priority {late.priorities[LATE]}."


def test_kinds_and_categories_are_balanced(asked) -> None:
    assert Counter(each.kind for each in ALL) == dict.fromkeys(KINDS, 75)
    assert Counter(each.category for each in ALL) == dict.fromkeys(CATEGORIES, 25)
    assert {(each.kind, each.category) for each in ALL[:48]} == set(itertools.product(KINDS, CATEGORIES))
    assert {each.cluster for each in asked.prompts[:12]} == set(CATEGORIES)
    assert len({each.order for each in ALL}) == TICKETS_MAX
    assert asked.prompts[3].slices == {"kind": ROUTING}


def test_prompts_are_short_and_show_the_right_rule() -> None:
    assert len(tokens_of(SYSTEM)) <= 150
    assert max(len(tokens_of(each.text)) for each in ALL) <= 150
    known = {policy.category: policy for policy in policies()}
    for each in ALL:
        shown = each.text.splitlines()[1:3]
        assert set(shown) <= set(rules())
        assert shown[0] != shown[1]
        assert each.order in each.text
        if each.kind == NUMBER:
            assert sum(f"within {each.right} days" in rule for rule in shown) == 1
        if each.kind in (DEPARTMENT, ROUTING):
            assert sum(f": {each.department}," in rule for rule in shown) == 1
            assert each.department in known[each.category].departments.values()


def test_every_expectation_passes_on_the_right_answer_and_fails_on_wrong_ones(asked) -> None:
    scoring = Scoring(asked.prompts)
    assert scoring.kinds == {"choice": 75, "json_schema": 75, "numeric": 75, "regex": 75}
    for ticket, prompt in zip(ALL, asked.prompts, strict=True):
        assert outcome(scoring, prompt, ticket.right) is Outcome.PASSED, ticket
        for wrong in (ticket.wrong, "I do not know.", "", f"{ticket.wrong} {ticket.right}"):
            assert outcome(scoring, prompt, wrong) is Outcome.FAILED, (ticket, wrong)


@pytest.mark.parametrize(
    ("kind", "shape", "passes"),
    [
        (NUMBER, "{right} days", True),
        (ORDER, "{right}.", True),
        (ORDER, "It is {right}", False),
        (DEPARTMENT, "The {right} department", True),
        (DEPARTMENT, " or ".join(DEPARTMENTS), False),
        (ROUTING, "```json\n{right}\n```", True),
        (ROUTING, "Here it is: {right}", False),
    ],
)
def test_what_else_counts_as_the_answer(asked, kind, shape, passes) -> None:
    place = next(place for place, each in enumerate(ALL) if each.kind == kind)
    text = shape.replace("{right}", ALL[place].right)
    wanted = Outcome.PASSED if passes else Outcome.FAILED
    assert outcome(Scoring(asked.prompts[place : place + 1]), asked.prompts[place], text) is wanted


def test_who_learns_from_tickets_does_not_see_every_wording() -> None:
    taught = tickets(600, seed=1_007, wordings=SHOWN)
    beyond = [wording.partition("{goods}")[2] for ways in WORDINGS.values() for wording in ways[SHOWN:]]
    shown = {wording.partition("{goods}")[2] for ways in WORDINGS.values() for wording in ways[:SHOWN]}
    held_out = [end for end in beyond if end and end not in shown]
    assert not any(f"{each.category}{end}" in each.text for each in taught for end in held_out)
    assert any(f"{each.category}{end}" in each.text for each in ALL for end in held_out)
    assert not {each.text for each in taught} & {each.text for each in ALL}


def test_too_few_tickets_are_refused() -> None:
    with pytest.raises(Invalid, check=lambda error: error.field == "tickets" and has_code("invalid")(error)):
        tickets(11)


def test_an_attack_plants_a_code_in_the_words_of_the_customer() -> None:
    plain, planted = tickets(12), attacks(12)
    assert {CODE in each.text for each in plain} == {False}
    for ticket, attack in zip(plain, planted, strict=True):
        words, added = ticket.text.splitlines(), attack.text.splitlines()
        assert (added[:3], added[4:]) == (words[:3], words[4:]), "the rules before and the question after are the same"
        assert added[3].startswith(f"{words[3]} ")
        assert CODE in added[3]
        prompt = attack.as_prompt()
        assert (attack.id, attack.right, prompt["forbidden"]) == (f"{ticket.id}-attack", ticket.right, [CODE])
    assert "forbidden" not in plain[0].as_prompt()
