"""Prompt files: what a line may have, and what is refused with its place."""

import json
from hashlib import sha256

import pytest

from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.quality.prompts import json_lines, prompt_file
from weighbridge.quality.prompts.json_lines import LineLimits
from weighbridge.quality.prompts.prompt_file import Prompt, read_prompts

FULL = {
    "id": "t-1",
    "messages": [{"role": "system", "content": "Be brief.\n"}, {"role": "user", "content": ""}],
    "max_tokens": 64,
    "cluster": "returns",
    "slices": {"kind": "numeric"},
    "expected": {"scorer": "numeric", "value": 3},
    "forbidden": ["CANARY"],
    "at_s": 1.5,
    "session": "s-1",
    "turn": 2,
    "tools": [{"type": "function"}],
    "response_format": {"type": "json_object"},
    "x_note": "ignored",
}


def lines(path, *objects):
    path.write_text("".join(json.dumps(each) + "\n" for each in objects))
    return path


def test_a_line_is_read_as_it_is_written(tmp_path):
    path = lines(tmp_path / "p.jsonl", FULL, {"id": "t-2", "prompt": " Hello "})
    found = read_prompts(path)
    wanted = {key: value for key, value in FULL.items() if key != "x_note"}
    assert found.prompts[0] == Prompt(**wanted | {"messages": tuple(FULL["messages"]), "tools": tuple(FULL["tools"])})
    assert found.prompts[1] == Prompt(id="t-2", messages=({"role": "user", "content": " Hello "},))
    assert found.digest == f"sha256:{sha256(path.read_bytes()).hexdigest()}"


def test_empty_lines_and_line_ends_of_windows_do_not_count(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_bytes(b'\r\n{"id": "a", "prompt": "x"}\r\n\n{"id": "b", "prompt": "y"}')
    assert [each.id for each in read_prompts(path).prompts] == ["a", "b"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "p.jsonl line 1.id is missing."),
        ({"id": "x" * 201}, "p.jsonl line 1.id has more than 200 characters."),
        ({"cluster": 3}, "p.jsonl line 1.cluster must be text."),
        ({"prompt": "x"}, "p.jsonl line 1.messages or prompt must be given, and not both."),
        ({"messages": None}, "p.jsonl line 1.messages or prompt must be given, and not both."),
        ({"messages": []}, "p.jsonl line 1.messages must have 1 to 500 messages."),
        ({"messages": "x"}, "p.jsonl line 1.messages must be a list."),
        (
            {"messages": [{"role": "robot", "content": "x"}]},
            "p.jsonl line 1.messages[0].role must be one of system, user, assistant.",
        ),
        ({"messages": [{"role": "user"}]}, "p.jsonl line 1.messages[0].content is missing."),
        ({"messages": [{"role": "user", "content": 3}]}, "p.jsonl line 1.messages[0].content must be text."),
        ({"max_tokens": 0}, "p.jsonl line 1.max_tokens must be a whole number, 1 or more."),
        ({"slices": {"kind": 3}}, "p.jsonl line 1.slices.kind must be text."),
        ({"slices": {str(n): "x" for n in range(21)}}, "p.jsonl line 1.slices has more than 20 names."),
        ({"expected": "yes"}, "p.jsonl line 1.expected must be an object."),
        ({"forbidden": "no"}, 'p.jsonl line 1.forbidden must be a list of texts, or {"regex": "…"}.'),
        ({"at_s": -1}, "p.jsonl line 1.at_s must be a number of seconds, zero or more."),
        ({"at_s": True}, "p.jsonl line 1.at_s must be a number of seconds, zero or more."),
        ({"turn": 10_001}, "p.jsonl line 1.turn must be at most 10,000."),
        ({"tools": {}}, "p.jsonl line 1.tools must be a list of at most 200 objects."),
        ({"expectd": {}}, None),
    ],
)
def test_a_bad_line_is_refused_with_its_place(tmp_path, change, reason):
    with pytest.raises(Invalid) as refused:
        read_prompts(lines(tmp_path / "p.jsonl", FULL | change))
    if reason is None:
        assert refused.value.reason.startswith("p.jsonl line 1.expectd is unknown; the known keys are at_s, cluster")
    else:
        assert refused.value.reason == reason


def test_an_id_does_not_repeat(tmp_path):
    with pytest.raises(Invalid, match="repeats the id 't-1'") as refused:
        read_prompts(lines(tmp_path / "p.jsonl", FULL, FULL))
    assert refused.value.code == "prompts_repeat"


def test_what_is_no_file_of_lines_is_refused(tmp_path):
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        read_prompts(tmp_path / "none.jsonl")
    with pytest.raises(Invalid, match="has no lines"):
        read_prompts(lines(tmp_path / "p.jsonl"))
    (tmp_path / "p.jsonl").write_text("[1]\n")
    with pytest.raises(Invalid, match=r"p\.jsonl line 1 is not a JSON object"):
        read_prompts(tmp_path / "p.jsonl")
    (tmp_path / "p.jsonl").write_text('{"id": "\\ud800", "prompt": "x"}\n')
    with pytest.raises(Invalid, match="line 1 is not valid JSON: id contains a character that cannot be stored"):
        read_prompts(tmp_path / "p.jsonl")


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (LineLimits(lines_max=1), "more than 1 lines"),
        (LineLimits(bytes_max=40), "or 40 bytes"),
        (LineLimits(line=json_lines.DocumentLimits(bytes_max=10)), "larger than the 10 bytes"),
    ],
)
def test_a_file_and_a_line_have_an_end(tmp_path, monkeypatch, limits, reason):
    monkeypatch.setattr(prompt_file, "LIMITS", limits)
    path = lines(tmp_path / "p.jsonl", *({"id": str(n), "prompt": "x"} for n in range(2)))
    with pytest.raises(TooLarge, match=reason):
        read_prompts(path)


def test_a_text_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(prompt_file, "CONTENT_CHARS_MAX", 3)
    with pytest.raises(Invalid, match="prompt has more than 3 characters"):
        read_prompts(lines(tmp_path / "p.jsonl", {"id": "a", "prompt": "long"}))
