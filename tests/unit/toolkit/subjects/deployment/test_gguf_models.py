"""Architectures by GGUF headers: files of the package gguf, what llama.cpp means by its keys, and refusals."""

import hashlib

import pytest

from tests.unit.toolkit.subjects.deployment.configs import SMOLLM2_135M, written
from tests.unit.toolkit.subjects.deployment.models import header_gguf, llama_gguf
from weighbridge.core.errors import Invalid
from weighbridge.subjects.deployment.architecture import LayerGroup
from weighbridge.subjects.deployment.config_file import read_config
from weighbridge.subjects.deployment.model_source import read_model

BASE = {"block_count": 4, "embedding_length": 64, "attention.head_count": 4, "vocab_size": 8}


def shape(config):
    """The keys of `config.json` for the arguments of `llama_gguf`."""
    names = {"hidden": "hidden_size", "layers": "num_hidden_layers", "heads": "num_attention_heads"}
    names |= {"kv": "num_key_value_heads", "inter": "intermediate_size", "vocab": "vocab_size"}
    return {names[name]: value for name, value in config.items()}


@pytest.mark.parametrize("is_tied", [True, False])
def test_the_formula_and_the_header_agree(tmp_path, is_tied):
    sizes = {"hidden": 64, "layers": 3, "heads": 4, "kv": 2, "inter": 96, "vocab": 100}
    config = SMOLLM2_135M | shape(sizes) | {"tie_word_embeddings": is_tied}
    counted = read_config(written(tmp_path, config))
    model = read_model(llama_gguf(tmp_path / "m.gguf", **sizes, is_tied=is_tied))
    assert model.parameters == counted.parameters
    assert model.groups == counted.groups == (LayerGroup(3, 2, 16, 16),)
    # Matrices of 16 bits, norms of 32.
    norms = (2 * 3 + 1) * 64
    assert model.weights.size_bytes == 2 * (counted.parameters.total - norms) + 4 * norms
    assert (model.name, model.family, model.license, model.context) == ("Small Llama", "llama", "apache-2.0", 2048)
    assert model.chat_template == f"sha256:{hashlib.sha256(b'{{ messages }}').hexdigest()}"


def test_of_experts_some_are_used(tmp_path):
    model = read_model(llama_gguf(tmp_path / "m.gguf", experts=8))
    experts = 2 * 8 * 3 * 64 * 96
    assert model.parameters.total - model.parameters.active == experts * 6 // 8


def test_without_a_name_the_file_has_one(tmp_path):
    model = read_model(header_gguf(tmp_path / "tiny.gguf", **BASE))
    assert (model.name, model.context, model.license, model.chat_template) == ("tiny", None, "", "")
    assert model.groups == (LayerGroup(4, 4, 16, 16),)
    assert model.parameters.embedding == 8 * 64


def test_a_link_is_followed(tmp_path):
    target = header_gguf(tmp_path / "blob", **BASE)
    (tmp_path / "m.gguf").symlink_to(target)
    assert read_model(tmp_path / "m.gguf").layers == 4


@pytest.mark.parametrize(
    ("architecture", "more", "groups"),
    [
        ("llama", {"attention.key_length": 24, "attention.value_length": 8}, [(4, 4, 24, 8, None)]),
        ("llama", {"attention.head_count_kv": [1, 1, 2, 2]}, [(2, 1, 16, 16, None), (2, 2, 16, 16, None)]),
        ("llama", {"attention.sliding_window": 99}, [(4, 4, 16, 16, None)]),
        ("gemma2", {"attention.sliding_window": 99}, [(2, 4, 16, 16, 99), (2, 4, 16, 16, None)]),
        ("gemma3", {"attention.sliding_window": 99}, [(4, 4, 16, 16, 99)]),
        (
            "x",
            {"attention.sliding_window": 99, "attention.sliding_window_pattern": [True, True, True, False]},
            [(3, 4, 16, 16, 99), (1, 4, 16, 16, None)],
        ),
        (
            "x",
            {"attention.sliding_window": 99, "attention.sliding_window_pattern": 2},
            [(2, 4, 16, 16, 99), (2, 4, 16, 16, None)],
        ),
        ("gemma2", {}, [(4, 4, 16, 16, None)]),
        (
            "deepseek2",
            {"attention.kv_lora_rank": 512, "attention.key_length_mla": 192, "rope.dimension_count": 64},
            [(4, 1, 576, 0, None)],
        ),
        (
            "deepseek2",
            {"attention.kv_lora_rank": 512, "attention.key_length": 192, "attention.value_length": 128},
            [(4, 4, 192, 128, None)],
        ),
    ],
)
def test_caches_by_keys(tmp_path, architecture, more, groups):
    model = read_model(header_gguf(tmp_path / "m.gguf", architecture, **BASE | more))
    found = [(each.layers, each.heads, each.key_width, each.value_width, each.window) for each in model.groups]
    assert found == groups


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"block_count": 0}, "header_key", "block_count must be a whole number from 1"),
        ({"block_count": 2_000}, "invalid", "2,000 layers"),
        ({"block_count": "four"}, "header_key", "has no llama.block_count"),
        ({"embedding_length": 2**31}, "header_key", "embedding_length must be"),
        ({"attention.head_count": [4, 4]}, "invalid", "2 numbers for 4 layers"),
        ({"attention.head_count_kv": [4, 0, 4, 4]}, "layer_kind", "another kind than attention"),
        ({"ssm.state_size": 16}, "layer_kind", "another kind than attention"),
        ({"full_attention_interval": 4}, "layer_kind", "another kind than attention"),
        ({"attention.sliding_window": 9, "attention.sliding_window_pattern": 0}, "invalid", "above 0"),
        ({"attention.sliding_window": 9, "attention.sliding_window_pattern": [True]}, "invalid", "1 of 4 layers"),
        ({"split.count": 3}, "split_artifact", "one of several files"),
    ],
)
def test_headers_that_say_too_little_are_refused(tmp_path, more, code, words):
    with pytest.raises(Invalid, match=words) as refusal:
        read_model(header_gguf(tmp_path / "m.gguf", **BASE | more))
    assert refusal.value.code == code


def test_files_that_are_not_complete_are_refused(tmp_path):
    path = llama_gguf(tmp_path / "m.gguf")
    whole = path.read_bytes()
    for content in (whole[:-1], whole + b"\1", whole[:1000], b"GGUF", b"{}", b""):
        path.write_bytes(content)
        with pytest.raises(Invalid) as refusal:
            read_model(path)
        assert refusal.value.field == "file"
