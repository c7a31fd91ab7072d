"""Need, fit, sequences and tokens: worked numbers, an independent count, and tensor parallel."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.subjects.deployment import configs
from tests.unit.toolkit.subjects.deployment.configs import written
from weighbridge.subjects.deployment.architecture import LanguageModel, LayerGroup, ModelWeights
from weighbridge.subjects.deployment.config_file import read_config
from weighbridge.subjects.deployment.memory import (
    GIB,
    Serving,
    cache_bytes,
    fits,
    most_sequences,
    most_tokens,
    need_bytes,
)

ONE = Serving()


def model_of(*groups, weights=0):
    return LanguageModel(
        source="config.json",
        family="x",
        name="x",
        context=None,
        layers=sum(group.layers for group in groups),
        groups=groups,
        parameters=None,
        weights=ModelWeights(weights, "index"),
    )


@pytest.fixture
def llama(tmp_path):
    return read_config(written(tmp_path, configs.LLAMA_8B))


@pytest.mark.parametrize(
    ("gib", "tokens", "of_4096", "of_1200"), [(Fraction(24), 46_223, 11, 38), (Fraction("79.6"), 456_150, 111, 380)]
)
def test_eight_billion_parameters_on_two_cards(llama, gib, tokens, of_4096, of_1200):
    memory = int(gib * GIB)
    assert most_tokens(llama, ONE, memory_bytes=memory) == tokens
    assert most_sequences(llama, ONE, memory_bytes=memory, context=4096) == of_4096
    assert most_sequences(llama, ONE, memory_bytes=memory, context=1200) == of_1200


def test_the_need_has_three_parts_in_whole_blocks(llama):
    assert need_bytes(llama, ONE, sequences=3, context=1) == 16_060_522_496 + 3 * 16 * 131_072 + GIB
    assert need_bytes(llama, ONE, sequences=1, context=17) == 16_060_522_496 + 32 * 131_072 + GIB
    measured = Serving(activation_bytes=5, block_tokens=1)
    assert need_bytes(llama, measured, sequences=2, context=17) == 16_060_522_496 + 34 * 131_072 + 5


def test_ninety_percent_is_the_limit_and_no_byte_more():
    assert fits(9, 10)
    assert not fits(10, 11)
    assert fits(9 * 10**18, 10**19)
    assert not fits(9 * 10**18 + 1, 10**19)


def test_what_does_not_fit_has_room_for_nothing(llama):
    assert most_sequences(llama, ONE, memory_bytes=16 * GIB, context=16) == 0
    assert most_tokens(llama, ONE, memory_bytes=16 * GIB) == 0


def test_tensor_parallel_divides_weights_and_heads(llama):
    for parallel, heads in ((2, 4), (3, 3), (8, 1), (16, 1)):
        serving = Serving(tensor_parallel=parallel)
        assert cache_bytes(llama, 16, serving) == 16 * 32 * heads * 256 * 2
        weights = -(-16_060_522_496 // parallel)
        assert need_bytes(llama, serving, sequences=0, context=1) == weights + GIB


def test_a_latent_cache_is_on_every_accelerator(tmp_path):
    latent = read_config(written(tmp_path, configs.DEEPSEEK_V3))
    for parallel in (1, 8, 16):
        assert cache_bytes(latent, 10, Serving(tensor_parallel=parallel)) == 702_720


def test_windows_bound_the_cache_of_a_sequence():
    mixed = model_of(LayerGroup(2, 1, 1, 1, window=20), LayerGroup(1, 1, 1, 1))
    # 4 + 2 values a token of 2 bytes each; the windows keep whole blocks, 32 tokens.
    assert [cache_bytes(mixed, tokens, ONE) for tokens in (10, 32, 100)] == [120, 384, 8 * 32 + 4 * 100]
    bare = Serving(activation_bytes=0)
    assert most_tokens(mixed, bare, memory_bytes=1_000) == (900 - 256) // 4
    windowed = model_of(LayerGroup(2, 1, 1, 1, window=20))
    assert most_tokens(windowed, bare, memory_bytes=1_000) is None
    assert most_tokens(windowed, bare, memory_bytes=100) == 90 // 8
    assert most_sequences(windowed, bare, memory_bytes=1_000, context=10**9) == 900 // 256


@given(
    st.integers(1, 64),
    st.integers(1, 8),
    st.integers(1, 256),
    st.integers(0, 10**10),
    st.integers(0, 10**11),
    st.integers(1, 10_000),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from([4, 8, 16]),
)
def test_the_most_that_fits_fits_and_one_more_does_not(layers, heads, width, weights, memory, context, parallel, bits):
    model = model_of(LayerGroup(layers, heads, width, width), weights=weights)
    serving = Serving(tensor_parallel=parallel, cache_bits=bits)
    most = most_sequences(model, serving, memory_bytes=memory, context=context)
    more = need_bytes(model, serving, sequences=most + 1, context=context)
    assert not fits(more, memory)
    if most:
        assert fits(need_bytes(model, serving, sequences=most, context=context), memory)
        assert most_tokens(model, serving, memory_bytes=memory) >= most * context
