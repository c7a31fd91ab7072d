"""An entry of a gateway uses the permission of its subject and calls nothing else: attacks that copy a permission."""

import pytest

from weighbridge.client.feed.verdicts import GateReply, GateVerdict
from weighbridge.client.integrations.litellm.allow_list import allowed_config
from weighbridge.client.integrations.litellm.entries import Hosts, accepted_models, host_of
from weighbridge.subjects.kinds import parse_subject

SUBJECT = {
    "kind": "managed",
    "provider": "openai",
    "model": "gpt-4o-mini",
    "snapshot": "2024-07-18",
    "parameters": {"temperature": 0, "response_format": {"type": "json_object"}},
}
DIGEST = parse_subject(SUBJECT).digest
EXACT = "openai/gpt-4o-mini-2024-07-18"
HOSTS = Hosts(own=("gpu.test",), providers=("eu.openai.test",))
FILE = {"kind": "file", "format": "gguf", "sha256": "a" * 64}


def entry(params=None, *, subject=SUBJECT, digest=None, name="answers"):
    information = ({"weighbridge_subject": subject} if subject else {}) | (
        {"weighbridge_digest": digest} if digest else {}
    )
    return {"model_name": name, "litellm_params": {"model": EXACT} | (params or {}), "model_info": information}


def filtered(row, *, allowed=(DIGEST, f"sha256:{'a' * 64}"), hosts=HOSTS):
    """Return whether the row stays, why not, and the digests that were asked about."""
    asked = []

    def ask(digest):
        asked.append(digest)
        answer = GateVerdict.ALLOWED if digest in allowed else GateVerdict.REFUSED
        return GateReply(answer, () if digest in allowed else ("It ended.",))

    config, reasons, _ = allowed_config({"model_list": [row]}, ask=ask, hosts=hosts)
    return config["model_list"] == [row], "".join(reasons), asked


@pytest.mark.parametrize(
    "row",
    [
        entry(),
        entry({"temperature": 0.0, "api_key": "os.environ/KEY", "rpm": 5}),
        entry({"response_format": {"type": "json_object"}}, digest=DIGEST),
        entry({"model": "openai/gpt-4o-mini@20240718", "custom_llm_provider": "openai"}),
        entry({"api_base": "https://EU.openai.test:443/v1"}),
        entry({"api_base": "http://gpu.test/v1", "extra_body": {"top_k": 1}}, subject=FILE),
        entry({"base_url": "http://gpu.test"}, subject=None, digest=f"sha256:{'a' * 64}"),
    ],
)
def test_what_calls_its_subject_stays(row):
    is_kept, reasons, asked = filtered(row)
    assert (is_kept, reasons, len(asked)) == (True, "", 1)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        # The digest or the subject of an allowed model is copied to another one.
        (entry({"model": "openai/gpt-5"}), "it calls openai/gpt-5; its subject is openai/gpt-4o-mini-2024-07-18"),
        (entry({"model": "openai/gpt-5"}, subject=None, digest=DIGEST), "it has no api_base"),
        (
            entry({"model": "openai/gpt-5", "api_base": "https://eu.openai.test"}, subject=None, digest=DIGEST),
            "none of",
        ),
        (entry(subject=SUBJECT | {"model": "gpt-5"}, digest=DIGEST), "is not the digest of its weighbridge_subject"),
        (entry({"model": "openai/gpt-5", "api_base": "https://eu.openai.test"}, subject=FILE), "given with --own-host"),
        # Another snapshot, or the alias that the provider may change.
        (entry({"model": "openai/gpt-4o-mini"}), "it calls openai/gpt-4o-mini;"),
        (entry({"model": "openai/gpt-4o-mini-2025-01-01"}), "it calls"),
        (entry({"model": "gpt-4o-mini-2024-07-18"}), "it calls gpt-4o-mini-2024-07-18"),
        (entry({"model": "os.environ/MODEL"}), "it calls os.environ/MODEL"),
        # Another provider, place or server behind the same name.
        (entry({"model": "azure/gpt-4o-mini-2024-07-18"}), "it calls azure"),
        (entry({"custom_llm_provider": "azure"}), "custom_llm_provider is azure; its subject is of openai"),
        (entry({"api_base": "https://evil.test/v1"}), "it goes to https://evil.test/v1"),
        (entry({"base_url": "os.environ/BASE"}), "it goes to os.environ/BASE"),
        (entry({"api_base": "https://eu.openai.test@evil.test"}), "it goes to"),
        (
            entry({"api_base": "https://gpu.test", "base_url": "https://evil.test"}, subject=FILE),
            "goes to https://evil",
        ),
        (entry({"vertex_location": "us"}), "vertex_location is us; its subject is of the region that is not stated"),
        # Other parameters.
        (entry({"temperature": 1}), "it sets temperature to another value than its subject"),
        (entry({"temperature": float("nan")}), "it sets temperature to another value"),
        (entry({"extra_body": {"model": "gpt-5"}}), "it sets extra_body, which is no parameter of its subject"),
        # Nothing that can be judged.
        (entry(subject={"kind": "managed"}), "its weighbridge_subject is invalid."),
        (entry(subject="openai"), "its weighbridge_subject is invalid."),
        (entry(name="*"), "it has a wildcard"),
        (entry({"model": "openai/*"}), "it has a wildcard"),
        ({"model_name": "a", "litellm_params": {"model": EXACT}, "model_info": {}}, "a: it names no"),
        ("odd", "model_list[0]: it names no"),
    ],
)
def test_what_calls_something_else_is_left_out_unasked(row, why):
    is_kept, reasons, asked = filtered(row)
    assert (is_kept, asked) == (False, [])
    assert why in reasons


def test_a_model_whose_authorization_ended_leaves_the_list():
    assert filtered(entry())[0]
    assert filtered(entry(), allowed=()) == (False, "answers: refused: It ended.", [DIGEST])


def test_no_host_is_trusted_by_default():
    assert not filtered(entry({"api_base": "http://gpu.test"}, subject=FILE), hosts=Hosts())[0]
    assert not filtered(entry({"api_base": "https://eu.openai.test"}), hosts=Hosts())[0]


def test_a_name_with_its_snapshot_is_called_by_it():
    named = SUBJECT | {"model": "gpt-4o-mini-2024-07-18"}
    assert accepted_models(parse_subject(named)) == (EXACT,)
    assert accepted_models(parse_subject(SUBJECT | {"snapshot": ""})) == ("openai/gpt-4o-mini",)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://a.test", "a.test"),
        ("http://A.test:80/v1/x-y", "a.test"),
        ("https://[::1]:8000/", "[::1]"),
        ("https://a.test\\@b.test/", ""),
        ("https://user@a.test", ""),
        ("ftp://a.test", ""),
        ("https://a.test?x=1", ""),
        (5, ""),
    ],
)
def test_the_host_of_a_plain_address(address, host):
    assert host_of(address) == host
