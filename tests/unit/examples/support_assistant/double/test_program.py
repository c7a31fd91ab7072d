"""The double as a program and in its own process: options, its address, and what it refuses."""

import json
import os
import subprocess
import sys

import pytest

from examples.support_assistant.double import running
from examples.support_assistant.double.__main__ import law_of, main, parser
from examples.support_assistant.double.answers import answer_function, last_question
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.running import double_process, double_thread
from examples.support_assistant.double.tokens import PrefixCache, tokens_of
from tests.unit.examples.support_assistant.double.chats import chat
from weighbridge.core.errors import Invalid

ANSWERS = f"{__name__}:backwards"


def backwards(request) -> str:
    return last_question(request)[::-1]


def given(*arguments: str) -> Law:
    return law_of(parser().parse_args(arguments))


def test_options_state_the_law_and_go_before_its_json() -> None:
    assert given() == Law()
    stated = given(
        "--law",
        '{"ttft_ms": 5, "slots": 3, "freeze": [10, 1]}',
        "--ttft-ms",
        "7",
        "--tokens-per-chunk",
        "1",
        "5",
        "--no-role-first",
        "--counts-end",
        "--output",
        "lognormal:20,0.5",
        "--behavior",
        "busy",
        "--every",
        "9",
    )
    assert stated == Law(
        ttft_ms=7.0,
        slots=3,
        freeze=(10, 1),
        tokens_per_chunk=(1, 5),
        role_first=False,
        counts_end=True,
        output="lognormal:20,0.5",
        behavior="busy",
        every=9,
    )


@pytest.mark.parametrize("law", ["{", '{"speed": 1}', '{"freeze": 1}', "[1]"])
def test_a_law_that_cannot_be_read_is_refused(law) -> None:
    with pytest.raises(Invalid, match="The law is not read"):
        given("--law", law)


@pytest.mark.slow
def test_a_process_answers_with_the_function_that_is_named() -> None:
    with double_process(Law(ttft_ms=1, tpot_ms=0), answers=ANSWERS) as double:
        assert double.address == f"http://127.0.0.1:{double.port}"
        assert chat(double, "stressed").joined() == "desserts"


@pytest.mark.slow
def test_the_program_says_what_is_wrong() -> None:
    with double_thread(Law()) as taken:
        command = [sys.executable, "-m", running.PROGRAM, "--port", str(taken.port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"double: Port {taken.port} cannot be had: ")


def test_the_program_refuses_a_function_that_is_none() -> None:
    with pytest.raises(SystemExit, match=r"double: json:none names no function"):
        main(["--answers", "json:none"])


@pytest.mark.parametrize("name", ["absent.module:x", "json:absent", "json", "json:__doc__"])
def test_a_function_that_is_none_is_refused(name) -> None:
    with pytest.raises(Invalid, match="names no function"):
        answer_function(name)


def test_a_process_that_does_not_start_is_said(monkeypatch) -> None:
    with (
        pytest.raises(Invalid, match=r"did not start: double: absent:x names no function"),
        double_process(Law(), answers="absent:x"),
    ):
        pass
    monkeypatch.setattr(running, "START_S", 0.0)
    with pytest.raises(Invalid, match="no output"), double_process(Law()):
        pass


def test_a_thread_that_does_not_start_is_said() -> None:
    with pytest.raises(Invalid, match="did not start"), double_thread(Law(behavior="none")):
        pass


def test_answers_do_not_depend_on_the_process() -> None:
    with double_thread(Law(ttft_ms=1, tpot_ms=0)) as one, double_thread(Law(ttft_ms=1, tpot_ms=0)) as other:
        assert chat(one, "a").joined() == chat(other, "a").joined() != chat(one, "b").joined()


def test_tokens_joined_are_the_text() -> None:
    for text in ("", "a", "Straße 12345!", "  two\n\n", "🙂é漢𝒜", json.dumps({"a": [1, "x y"]})):
        assert "".join(tokens_of(text)) == text
    assert tokens_of("transport 12345") == ["transp", "ort", " 123", "45"]
    assert tokens_of("🙂") == ["", "", "🙂"]


def test_the_cache_forgets_the_least_recently_used() -> None:
    cache = PrefixCache(2, capacity=3)
    one, two = list("abcdefg"), list("uvwxy")
    assert [cache.cached_tokens(one), cache.cached_tokens(one)] == [0, 6]
    assert cache.cached_tokens(two) == 0
    assert cache.cached_tokens(one) == 0
    assert PrefixCache(0).cached_tokens(one) == 0
