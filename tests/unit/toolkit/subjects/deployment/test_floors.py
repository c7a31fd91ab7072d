"""Floors of times by bandwidth and peak, and the accelerators that have both."""

from datetime import date

import pytest

from tests.unit.toolkit.subjects.deployment import configs
from tests.unit.toolkit.subjects.deployment.configs import written
from tests.unit.toolkit.subjects.deployment.test_memory import model_of
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.accelerators import ACCELERATORS
from weighbridge.subjects.deployment.architecture import LayerGroup
from weighbridge.subjects.deployment.cards import AcceleratorCard, cards, cards_named
from weighbridge.subjects.deployment.config_file import read_config
from weighbridge.subjects.deployment.floors import tpot_floor_ms, ttft_floor_ms
from weighbridge.subjects.deployment.memory import Serving

CARD = AcceleratorCard(
    name="x", label="X", memory_bytes=1, bytes_per_s=1e12, flops=1e15, source="test", as_of=date(2026, 11, 1)
)
EMBEDDING = 128_256 * 4096


def test_the_accelerators_are_those_of_the_metrics_with_sources():
    assert list(cards()) == [each.name for each in ACCELERATORS]
    for each in ACCELERATORS:
        card = cards()[each.name]
        assert (card.label, card.flops) == (each.label, float(each.tflops) * 1e12)
        # What the driver reports, in bytes, is within a tenth of the gigabytes in the name.
        assert 0.9 < card.memory_bytes / 10**9 / each.memory_gb < 1.1
        assert 3e11 <= card.bytes_per_s <= 8e12
        assert card.source
        assert card.as_of < date(2026, 11, 29)
    assert cards()["h100"].memory_bytes == 81_559 * 2**20


def test_accelerators_are_named():
    assert [card.name for card in cards_named(("l4", "h100", "l4"))] == ["l4", "h100"]
    assert len(cards_named(())) == len(ACCELERATORS)
    with pytest.raises(Invalid, match="h900 is no known accelerator; use t4,") as refusal:
        cards_named(("h900",))
    assert refusal.value.field == "accelerator"


def test_a_step_reads_weights_and_cache(tmp_path):
    model = read_config(written(tmp_path, configs.LLAMA_8B))
    read = 16_060_522_496 - 2 * EMBEDDING  # of the embedding, one row
    assert tpot_floor_ms(model, CARD, Serving(), context=1000) == pytest.approx((read + 131_072_000) / 1e9)
    halved = tpot_floor_ms(model, CARD, Serving(tensor_parallel=2), context=1000)
    assert halved == pytest.approx((read + 131_072_000) / 2e9)
    tied = read_config(written(tmp_path, configs.SMOLLM2_135M))
    assert tpot_floor_ms(tied, CARD, Serving(), context=0) == pytest.approx(2 * 134_515_008 / 1e9)


def test_of_experts_those_in_use_are_read(tmp_path):
    model = read_config(written(tmp_path, configs.MIXTRAL))
    assert tpot_floor_ms(model, CARD, Serving(), context=0) == pytest.approx(2 * (12_879_925_248 - 32_000 * 4096) / 1e9)


def test_a_prompt_is_multiplied_by_the_layers(tmp_path):
    model = read_config(written(tmp_path, configs.LLAMA_8B))
    operations = 2 * (8_030_261_248 - 2 * EMBEDDING) * 6000
    assert ttft_floor_ms(model, CARD, Serving(), tokens=6000) == pytest.approx(operations / 1e12)
    assert ttft_floor_ms(model, CARD, Serving(tensor_parallel=4), tokens=6000) == pytest.approx(operations / 4e12)
    narrow = read_config(written(tmp_path, configs.LLAMA_8B, quantization_config={"bits": 8}))
    assert ttft_floor_ms(narrow, CARD, Serving(), tokens=6000) == pytest.approx(operations / 2e12)
    wide = read_config(written(tmp_path, configs.LLAMA_8B, torch_dtype="float32"))
    assert ttft_floor_ms(wide, CARD, Serving(), tokens=6000) == pytest.approx(operations / 1e12)


def test_the_first_token_takes_one_reading_of_the_weights(tmp_path):
    model = read_config(written(tmp_path, configs.LLAMA_8B))
    read = tpot_floor_ms(model, CARD, Serving(), context=0)
    assert [ttft_floor_ms(model, CARD, Serving(), tokens=tokens) for tokens in (0, 100)] == [read, read]
    assert ttft_floor_ms(model, CARD, Serving(), tokens=1200) > read


def test_without_parameters_all_weights_are_read():
    model = model_of(LayerGroup(1, 1, 1, 1), weights=10**9)
    assert tpot_floor_ms(model, CARD, Serving(), context=0) == 1.0
    assert ttft_floor_ms(model, CARD, Serving(), tokens=600) == 1.0
