"""Architectures by `config.json`: parameters of published models, caches, windows, weights, and refusals."""

import json
import struct
from pathlib import Path

import pytest

from tests.unit.toolkit.subjects.deployment import configs
from tests.unit.toolkit.subjects.deployment.configs import written
from weighbridge.core.errors import Invalid, TooLarge
from weighbridge.subjects.deployment.architecture import LayerGroup
from weighbridge.subjects.deployment.config_file import INDEX, ONE_FILE, read_config
from weighbridge.subjects.deployment.model_source import read_model

# The numbers that the pages of the models state (safetensors, "model size"), to the last digit.
PUBLISHED = {
    "SMOLLM2_135M": 134_515_008,
    "LLAMA_8B": 8_030_261_248,
    "LLAMA_70B": 70_553_706_496,
    "TINYLLAMA": 1_100_048_384,
    "MISTRAL_7B": 7_241_732_096,
    "QWEN2_05B": 494_032_768,
    "QWEN2_7B": 7_615_616_512,
    "QWEN3_06B": 596_049_920,
    "QWEN3_8B": 8_190_735_360,
    "QWEN3_30B_A3B": 30_532_122_624,
    "QWEN15_MOE": 14_315_784_192,
    "MIXTRAL": 46_702_792_704,
    "GEMMA_2B": 2_506_172_416,
    "GEMMA2_9B": 9_241_705_984,
    "GEMMA3_1B": 999_885_952,
    "DEEPSEEK_V2_LITE": 15_706_484_224,
    "DEEPSEEK_V3": 671_026_419_200,
}


def refused(path, field=None, kind=Invalid):
    with pytest.raises(kind) as refusal:
        read_model(path)
    assert refusal.value.reason.endswith(".")
    if field is not None:
        assert refusal.value.field == field
    return refusal.value


@pytest.mark.parametrize(("name", "total"), PUBLISHED.items())
def test_the_formula_gives_the_published_number_of_parameters(tmp_path, name, total):
    assert read_config(written(tmp_path, getattr(configs, name))).parameters.total == total


@pytest.mark.parametrize(
    ("name", "active"),
    [
        ("LLAMA_8B", 8_030_261_248),
        ("MIXTRAL", 12_879_925_248),
        ("QWEN3_30B_A3B", 3_353_032_704),
        ("DEEPSEEK_V3", 37_552_297_472),
    ],
)
def test_a_token_uses_some_experts(tmp_path, name, active):
    assert read_config(written(tmp_path, getattr(configs, name))).parameters.active == active


@pytest.mark.parametrize(
    ("name", "per_token"),
    [("SMOLLM2_135M", 23_040), ("LLAMA_8B", 131_072), ("LLAMA_70B", 327_680), ("DEEPSEEK_V3", 70_272)],
)
def test_the_cache_of_a_token(tmp_path, name, per_token):
    model = read_config(written(tmp_path, getattr(configs, name)))
    assert model.bytes_per_token(16) == per_token
    assert model.bytes_per_token(8) == per_token // 2


def test_worked_numbers_of_whole_caches(tmp_path):
    small = read_config(written(tmp_path, configs.SMOLLM2_135M))
    assert small.bytes_per_token(16) * 4096 == 90 * 2**20
    assert read_config(written(tmp_path, configs.LLAMA_8B)).bytes_per_token(16) * 8192 == 2**30
    latent = read_config(written(tmp_path, configs.DEEPSEEK_V3))
    assert latent.bytes_per_token(16) * 200_192 == 14_067_892_224
    # The same model with keys and values of every head, 128 wide.
    assert LayerGroup(61, 128, 128, 128).bytes_per_token(16) == 3_997_696


def test_windows_are_a_constant_part(tmp_path):
    everywhere = read_config(written(tmp_path, configs.MISTRAL_7B))
    assert (everywhere.bytes_per_token(16), everywhere.bytes_of_windows(16)) == (0, 131_072 * 4096)
    alternating = read_config(written(tmp_path, configs.GEMMA2_9B))
    assert [(group.layers, group.window) for group in alternating.groups] == [(21, 4096), (21, None)]
    assert alternating.bytes_of_windows(16) == 2 * 21 * 8 * 256 * 2 * 4096
    one_in_six = read_config(written(tmp_path, configs.GEMMA3_1B))
    assert [(group.layers, group.window) for group in one_in_six.groups] == [(22, 512), (4, None)]


@pytest.mark.parametrize(
    ("more", "windows"),
    [
        ({}, [(28, None)]),
        ({"sliding_window": 4096}, [(28, 4096)]),
        ({"sliding_window": 4096, "use_sliding_window": False}, [(28, None)]),
        ({"sliding_window": 4096, "use_sliding_window": True}, [(28, 4096)]),
        ({"sliding_window": 4096, "use_sliding_window": True, "max_window_layers": 21}, [(21, None), (7, 4096)]),
        ({"sliding_window": 64, "layer_types": ["sliding_attention", "full_attention"] * 14}, [(14, 64), (14, None)]),
        ({"attention_chunk_size": 99, "layer_types": ["chunked_attention"] * 28}, [(28, 99)]),
    ],
)
def test_which_layers_have_a_window(tmp_path, more, windows):
    model = read_config(written(tmp_path, configs.QWEN2_7B, **more))
    assert [(group.layers, group.window) for group in model.groups] == windows


def test_heads_are_shared_or_not(tmp_path):
    def heads(**more):
        return read_config(written(tmp_path, configs.LLAMA_8B, **more)).groups[0].heads

    assert heads(num_key_value_heads=None) == 32
    assert heads(num_key_value_heads=1) == heads(multi_query=True) == 1
    assert heads(multi_query=False) == 8


def test_keys_and_values_may_have_different_widths(tmp_path):
    model = read_config(written(tmp_path, configs.LLAMA_8B, head_dim=192, v_head_dim=128))
    assert model.groups == (LayerGroup(32, 8, 192, 128),)
    assert model.bytes_per_token(16) == 32 * 8 * (192 + 128) * 2


def test_biases_and_a_step_between_experts_are_counted(tmp_path):
    plain = read_config(written(tmp_path, configs.LLAMA_8B)).parameters.total
    biased = read_config(written(tmp_path, configs.LLAMA_8B, attention_bias=True, mlp_bias=True)).parameters.total
    assert biased - plain == 32 * (2 * 4096 + 2 * 1024 + 2 * 14_336 + 4096)
    sparse = configs.QWEN3_30B_A3B
    each, dense = 128 * 2048 + 128 * 3 * 2048 * 768, 3 * 2048 * 6144
    stepped = read_config(written(tmp_path, sparse, decoder_sparse_step=2)).parameters.total
    assert PUBLISHED["QWEN3_30B_A3B"] - stepped == 24 * (each - dense)
    listed = read_config(written(tmp_path, sparse, mlp_only_layers=[0, 5])).parameters.total
    assert PUBLISHED["QWEN3_30B_A3B"] - listed == 2 * (each - dense)


def test_the_weights_are_those_of_the_index(tmp_path):
    path = written(tmp_path, configs.LLAMA_8B)
    assert read_config(path).weights.size_bytes == 16_060_522_496
    (tmp_path / INDEX).write_text(json.dumps({"metadata": {"total_size": 16_060_522_497}, "weight_map": {"a": "b"}}))
    weights = read_model(tmp_path).weights
    assert (weights.size_bytes, weights.source) == (16_060_522_497, INDEX)
    (tmp_path / INDEX).write_text(json.dumps({"metadata": {"total_size": -1}}))
    assert refused(tmp_path).field == f"{INDEX}.metadata.total_size"


def test_the_weights_are_those_of_the_only_file(tmp_path):
    written(tmp_path, configs.LLAMA_8B)
    (tmp_path / ONE_FILE).write_bytes(struct.pack("<Q", 10) + b" " * 10 + b"\0" * 77)
    weights = read_model(tmp_path).weights
    assert (weights.size_bytes, weights.source) == (77, ONE_FILE)
    for damaged in (b"", b"\1\2", struct.pack("<Q", 2**63), struct.pack("<Q", 1) + b" "):
        (tmp_path / ONE_FILE).write_bytes(damaged)
        assert "no complete safetensors file" in refused(tmp_path, "model").reason


def test_weights_that_cannot_be_read_are_refused(tmp_path, monkeypatch):
    written(tmp_path, configs.LLAMA_8B)
    (tmp_path / ONE_FILE).write_bytes(b"1")
    opened = Path.open

    def fail(path, *arguments, **options):
        if path.name == ONE_FILE:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", fail)
    assert "cannot be read: Permission denied" in refused(tmp_path, "model").reason


@pytest.mark.parametrize(
    ("more", "bits"),
    [
        ({"torch_dtype": "float32"}, 32),
        ({"torch_dtype": None, "dtype": "float16"}, 16),
        ({"quantization_config": {"quant_method": "awq", "bits": 4}}, 4),
        ({"quantization_config": {"quant_method": "fp8"}}, 8),
    ],
)
def test_without_a_file_the_weights_are_parameters_times_bits(tmp_path, more, bits):
    weights = read_config(written(tmp_path, configs.LLAMA_8B, **more)).weights
    assert (weights.size_bytes, weights.source) == (8_030_261_248 * bits // 8, f"parameters of {bits} bits")


def test_of_a_model_with_pictures_the_text_is_read(tmp_path):
    text = {key: value for key, value in configs.GEMMA3_1B.items() if key not in ("num_attention_heads", "vocab_size")}
    path = written(tmp_path, {"model_type": "gemma3", "text_config": text, "dtype": "bfloat16"})
    assert "Nothing states the size" in refused(path, "model").reason
    (tmp_path / INDEX).write_text(json.dumps({"metadata": {"total_size": 2_000}}))
    model = read_config(path)
    assert (model.family, model.parameters, model.weights.size_bytes) == ("gemma3_text", None, 2_000)
    assert "other inputs than text" in model.notes[0]


def test_of_an_unknown_family_parameters_are_not_counted(tmp_path):
    path = written(tmp_path, configs.LLAMA_8B, model_type="llama9")
    assert refused(path, "model").code == "weights_unknown"
    (tmp_path / INDEX).write_text(json.dumps({"metadata": {"total_size": 2_000}}))
    model = read_config(path)
    assert (model.parameters, model.bytes_per_token(16)) == (None, 131_072)
    assert "llama9 is not known" in model.notes[0]


@pytest.mark.parametrize(
    ("base", "more", "field"),
    [
        ("LLAMA_8B", {"num_hidden_layers": None}, "num_hidden_layers"),
        ("LLAMA_8B", {"num_hidden_layers": 1_001}, "num_hidden_layers"),
        ("LLAMA_8B", {"num_attention_heads": 0}, "num_attention_heads"),
        ("LLAMA_8B", {"num_attention_heads": 3}, "head_dim"),
        ("LLAMA_8B", {"hidden_size": 10**8}, "hidden_size"),
        ("LLAMA_8B", {"hidden_size": "4096"}, "hidden_size"),
        ("LLAMA_8B", {"model_type": None}, "model_type"),
        ("LLAMA_8B", {"torch_dtype": None}, "torch_dtype"),
        ("LLAMA_8B", {"torch_dtype": "int3"}, "torch_dtype"),
        ("LLAMA_8B", {"quantization_config": {"quant_method": "new"}}, "quantization_config"),
        ("LLAMA_8B", {"layer_types": ["full_attention"]}, "layer_types"),
        ("LLAMA_8B", {"layer_types": ["linear_attention"] * 32}, "layer_types"),
        ("LLAMA_8B", {"layer_types": ["sliding_attention"] * 32}, "sliding_window"),
        ("MIXTRAL", {"num_experts_per_tok": 9}, "num_experts_per_tok"),
        ("QWEN3_30B_A3B", {"mlp_only_layers": ["1"]}, "mlp_only_layers"),
        ("DEEPSEEK_V3", {"qk_rope_head_dim": None}, "qk_rope_head_dim"),
    ],
)
def test_configurations_that_say_too_little_are_refused(tmp_path, base, more, field):
    refused(written(tmp_path, getattr(configs, base), **more), field)


def test_files_that_are_no_model_are_refused(tmp_path):
    assert "has no config.json" in refused(tmp_path, "model").reason
    assert "There is no file" in refused(tmp_path / "none.gguf", "model").reason
    other = tmp_path / "model.bin"
    other.write_bytes(b"1")
    assert refused(other, "model").code == "model_form"
    (tmp_path / "config.json").write_text("[1]")
    refused(tmp_path, "model")
    (tmp_path / "config.json").write_text('{"a": "' + "x" * 10_000_000 + '"}')
    refused(tmp_path, "model", TooLarge)
