"""The document of a fit: figures with their method, accelerators, notes, and numbers that no server has."""

import pytest

from tests.unit.toolkit.subjects.deployment import configs
from tests.unit.toolkit.subjects.deployment.configs import written
from weighbridge.core.errors import Invalid
from weighbridge.subjects.deployment.cards import cards_named
from weighbridge.subjects.deployment.config_file import read_config
from weighbridge.subjects.deployment.fit_document import fit_document
from weighbridge.subjects.deployment.memory import GIB, Serving


@pytest.fixture
def llama(tmp_path):
    return read_config(written(tmp_path, configs.LLAMA_8B))


def document_of(model, *, names=("h100",), context=None, sequences=1, **serving):
    return fit_document(model, cards_named(names), Serving(**serving), context=context, sequences=sequences)


def test_the_document_has_the_figures_and_their_method(llama):
    document = document_of(llama, names=("t4", "h100"))
    assert document["schema"] == "weighbridge.fit/1"
    assert document["serving"] == {
        "context_tokens": 4096,
        "sequences": 1,
        "tensor_parallel": 1,
        "cache_bits": 16,
        "block_tokens": 16,
        "activation_bytes": GIB,
        "usable_share": 0.9,
    }
    need = 16_060_522_496 + GIB + 4096 * 131_072
    assert document["need_bytes"] == need
    assert {name: metric["value"] for name, metric in document["metrics"].items()} == {
        "context_tokens": 131_072,
        "parameters_total": 8_030_261_248,
        "parameters_active": 8_030_261_248,
        "weights_gb": 16.060522496,
        "kv_bytes_per_token": 131_072,
        "kv_bytes_of_windows": 0,
        "memory_fit_gb": need / 10**9,
    }
    metric = document["metrics"]["weights_gb"]
    assert (metric["unit"], metric["basis"]) == ("GB", "derived")
    assert metric["method"] == "derived from config.json, weights from parameters of 16 bits"
    small, large = document["accelerators"]
    assert (small["name"], small["fits"], small["most_sequences"]) == ("t4", False, 0)
    assert (large["fits"], large["most_sequences"], large["most_tokens"]) == (True, 111, 456_500)
    assert (large["memory_bytes"], large["as_of"]) == (81_559 * 2**20, "2025-01-23")
    assert document["notes"] == []


def test_what_is_unknown_is_absent(tmp_path):
    path = written(tmp_path, configs.LLAMA_8B, model_type="llama9", max_position_embeddings=None)
    (tmp_path / "model.safetensors.index.json").write_text('{"metadata": {"total_size": 1000}}')
    document = document_of(read_config(path))
    assert "parameters_total" not in document["metrics"]
    assert "context_tokens" not in document["metrics"]
    assert document["model"]["parameters_active"] is None
    assert 0 < document["accelerators"][0]["ttft_floor_ms"] < document["accelerators"][0]["tpot_floor_ms"]
    assert "llama9 is not known" in document["notes"][0]["message"]


def test_a_short_model_has_its_own_context(tmp_path):
    model = read_config(written(tmp_path, configs.SMOLLM2_135M, max_position_embeddings=2048))
    assert document_of(model)["serving"]["context_tokens"] == 2048
    longer = document_of(model, context=4096)
    assert longer["serving"]["context_tokens"] == 4096
    assert "made for 2,048 tokens" in longer["notes"][0]["message"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"context": 0}, "context"),
        ({"context": 10**10}, "context"),
        ({"sequences": 0}, "sequences"),
        ({"tensor_parallel": 0}, "tensor_parallel"),
        ({"tensor_parallel": 2_000}, "tensor_parallel"),
        ({"cache_bits": 1}, "cache_bits"),
        ({"cache_bits": 33}, "cache_bits"),
    ],
)
def test_numbers_that_no_server_has_are_refused(llama, options, field):
    with pytest.raises(Invalid) as refusal:
        document_of(llama, **options)
    assert refusal.value.field == field
