"""Deployments: documents, digests, and what the kind answers."""

import json
import random
from datetime import date

import pytest

from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.subjects import SUBJECT_KINDS, Way, document_of, parse_subject
from weighbridge.subjects.deployment.kind import DEPLOYMENT, model_digest
from weighbridge.subjects.kinds import parts_of

HEX = "ab" * 32
FILE = {"kind": "file", "format": "gguf", "sha256": HEX, "name": "tiny.gguf"}
MANAGED = {"kind": "managed", "provider": "openai", "model": "gpt-5-mini", "snapshot": "2025-08-07"}
IMAGE = f"ghcr.io/team/vllm@sha256:{'cd' * 32}"
FULL = {
    "kind": "deployment",
    "model": FILE,
    "server": {"image": IMAGE},
    "hardware": {"accelerator": "H100", "count": 4, "tensor_parallel": 2},
    "settings": {"max_num_seqs": 64, "quantization": "fp8", "flags": ["a", "b"]},
    "context_tokens": 8192,
    "prompt_cache": {"is_enabled": True, "cached_share": 0.4},
}
OF_VENDOR = {"kind": "deployment", "model": MANAGED}


def digest(document):
    return parse_subject(document).digest


def changed(**changes):
    return FULL | changes


def described(document):
    subject = parse_subject(document)
    return SUBJECT_KINDS[subject.kind].describe(subject)


@pytest.mark.parametrize(
    "document",
    [
        FULL,
        OF_VENDOR,
        changed(model={"digest": f"sha256:{HEX}"}),
        changed(server={"name": "llama.cpp", "version": "b9999"}, hardware="managed"),
    ],
)
def test_a_document_of_a_deployment_is_that_deployment(document):
    subject = parse_subject(document)
    assert parse_subject(json.loads(json.dumps(document_of(subject)))) == subject
    assert subject.kind == "deployment"


def test_the_digest_is_that_of_what_is_served_where_and_how():
    assert digest(FULL) == digest_of(
        {
            "kind": "deployment",
            "model": f"sha256:{HEX}",
            "server": {"image": f"sha256:{'cd' * 32}"},
            "hardware": {"accelerator": "h100", "count": 4, "tensor_parallel": 2},
            "settings": FULL["settings"],
            "context_tokens": 8192,
            "prompt_cache": {"is_enabled": True, "cached_share": 0.4},
        }
    )


def test_the_model_may_be_given_by_its_digest_and_names_decide_nothing():
    same = (
        changed(model={"digest": HEX}),
        changed(model=FILE | {"name": "other.gguf"}),
        changed(server={"image": IMAGE.replace("ghcr.io/team", "mirror.test")}),
    )
    assert {digest(each) for each in same} == {digest(FULL)}


def test_what_is_left_out_is_one_accelerator_without_settings():
    bare = {"kind": "deployment", "model": FILE, "server": {"name": "vllm", "version": "0.11.0"}}
    subject = parse_subject(bare | {"hardware": {"accelerator": "cpu"}})
    assert subject.document["hardware"] == {"accelerator": "cpu", "count": 1, "tensor_parallel": 1}
    assert subject.document["settings"] == {}
    assert "context_tokens" not in subject.document
    assert "prompt_cache" not in subject.document


def test_a_deployment_describes_itself():
    assert described(FULL) == "tiny.gguf on vllm cdcdcdcdcdcd: 4 x H100, tensor parallel 2, 8,192 tokens, 3 settings"
    assert described(OF_VENDOR) == "openai/gpt-5-mini 2025-08-07: hardware of the provider"
    plain = changed(
        model={"digest": HEX}, server={"name": "vllm", "version": "0.11.0"}, hardware={"accelerator": "rtx-4090"}
    )
    del plain["context_tokens"], plain["settings"]
    assert described(plain) == "abababababab on vllm 0.11.0: 1 x rtx-4090"


def test_it_is_measured_over_the_network_or_attested():
    for document in (FULL, OF_VENDOR):
        assert DEPLOYMENT.measured_by(parse_subject(document)) == (Way.ENDPOINT, Way.ATTESTED)


def test_it_ends_with_its_model_and_the_day_is_no_part_of_the_digest():
    ending = {"kind": "deployment", "model": MANAGED | {"retires_on": "2027-01-31"}}
    assert DEPLOYMENT.ends_on(parse_subject(ending)) == date(2027, 1, 31)
    assert digest(ending) == digest(OF_VENDOR)
    assert DEPLOYMENT.ends_on(parse_subject(OF_VENDOR)) is None
    assert DEPLOYMENT.ends_on(parse_subject(changed(model={"digest": HEX}))) is None


def test_it_consists_of_its_model_and_its_image():
    subject = parse_subject(FULL)
    assert [part.kind for part in parts_of(subject)] == ["file", "container"]
    assert model_digest(subject) == f"sha256:{HEX}"
    by_digest = parse_subject(changed(model={"digest": HEX}))
    assert [part.kind for part in parts_of(by_digest)] == ["container"]
    assert model_digest(by_digest) == f"sha256:{HEX}"
    assert [part.kind for part in parts_of(parse_subject(OF_VENDOR))] == ["managed"]
    assert parts_of(parse_subject(FILE)) == ()


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"kind": "deployment"}, "model.kind"),
        (changed(model=5), "model"),
        (changed(model={"digest": "abc"}), "model.digest"),
        (changed(model={"digest": HEX, "kind": "file"}), "model.kind"),
        (changed(model={"kind": "pipeline", "parts": []}), "model.kind"),
        (changed(model=FILE | {"format": "pickle"}), "model.format"),
        (changed(model=FILE | {"more": 1}), "model.more"),
        (changed(server={}), "server.name"),
        (changed(server={"name": "vllm"}), "server.version"),
        (changed(server={"image": "ghcr.io/team/vllm:1"}), "server.image"),
        (changed(server={"image": IMAGE, "name": "vllm"}), "server.name"),
        (changed(server={"name": "vllm", "version": "1", "x": 1}), "server.x"),
        (changed(hardware="laptop"), "hardware"),
        (changed(hardware={}), "hardware.accelerator"),
        (changed(hardware={"accelerator": "h 100"}), "hardware.accelerator"),
        (changed(hardware={"accelerator": "h100", "count": 0}), "hardware.count"),
        (changed(hardware={"accelerator": "h100", "count": 3, "tensor_parallel": 2}), "hardware.tensor_parallel"),
        (changed(hardware={"accelerator": "h100", "memory": 1}), "hardware.memory"),
        (changed(settings=[1]), "settings"),
        (changed(settings={"a": float("nan")}), "settings"),
        (changed(context_tokens=0), "context_tokens"),
        (changed(prompt_cache={}), "prompt_cache.is_enabled"),
        (changed(prompt_cache={"is_enabled": True, "cached_share": 1.5}), "prompt_cache.cached_share"),
        (
            changed(prompt_cache={"is_enabled": True, "cached_share": "0.12345678901234567"}),
            "prompt_cache.cached_share",
        ),
        (changed(prompt_cache={"is_enabled": False, "cached_share": 0.5}), "prompt_cache.cached_share"),
        (changed(prompt_cache={"is_enabled": True, "x": 1}), "prompt_cache.x"),
        (changed(parameters={}), "parameters"),
        (OF_VENDOR | {"server": {"name": "vllm", "version": "1"}}, "server"),
        (OF_VENDOR | {"hardware": {"accelerator": "h100"}}, "hardware"),
    ],
)
def test_documents_of_deployments_are_strict(document, field):
    with pytest.raises(Invalid) as refusal:
        parse_subject(document)
    assert refusal.value.field == field
    assert refusal.value.reason.endswith(".")


def shuffled(value, chance):
    """The same document with its keys in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


def places(value, path=()):
    """Yield the path of every value that is no mapping or list."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from places(item, (*path, key))
    if not isinstance(value, dict | list):
        yield path


def other(value, chance):
    """Another value that is valid in its place: one digit of a digest, one more, or another text."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value * 2
    if isinstance(value, float):
        return 0.5 + chance.randrange(1, 1000) / 4096
    place = chance.randrange(max(value.find("sha256:") + 7, 0), len(value)) if "sha256:" in value else 0
    if "sha256:" in value or len(value) == 64:
        place = place or chance.randrange(64)
        digit = chance.choice([each for each in "0123456789abcdef" if each != value[place]])
        return value[:place] + digit + value[place + 1 :]
    return f"{value}x"


VENDORS = OF_VENDOR | {
    "model": MANAGED | {"region": "eu", "parameters": {"temperature": 0.2, "seed": 7}},
    "settings": {"tier": "flex"},
    "context_tokens": 4096,
}
NAMED = changed(server={"name": "vllm", "version": "0.11.0"}, model={"digest": f"sha256:{HEX}"})
FIXED = {("kind",), ("model", "kind"), ("model", "name"), ("model", "format"), ("prompt_cache", "is_enabled")}


CASES = 10_000


def test_the_order_decides_nothing_and_every_change_something():
    chance = random.Random(14)
    known = [(document, digest(document), list(places(document))) for document in (FULL, VENDORS, NAMED)]
    for number in range(CASES):
        document, before, paths = known[number % 3]
        altered = shuffled(document, chance)
        if number % 2:
            assert digest(altered) == before
            continue
        path = chance.choice([path for path in paths if path not in FIXED])
        inner = altered
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = other(inner[path[-1]], chance)
        assert digest(altered) != before, path
