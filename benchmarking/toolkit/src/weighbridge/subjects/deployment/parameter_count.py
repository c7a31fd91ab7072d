"""The number of parameters of a model by its `config.json`, for the families whose layers are known.

The formulas count the tensors of the modules of transformers (`models/*/modeling_*.py`): embedding, attention with its
biases and norms, gated feed-forward layers or experts with their router, norms, and the output layer unless it is tied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from weighbridge.core.documents import Reader
from weighbridge.subjects.deployment.architecture import Parameters
from weighbridge.subjects.deployment.config_layers import head_width, key_value_heads, layer_count, size_in


@dataclass(frozen=True)
class Family:
    """What the layers of a family have besides those of Llama; `norms` are the norms of a layer by its hidden width."""

    norms: int = 2
    has_input_bias: bool = False
    has_head_norms: bool = False
    has_experts: bool = False
    is_latent: bool = False
    is_tied: bool = False


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "llama": Family(),
        "mistral": Family(),
        "phi3": Family(),
        "qwen2": Family(has_input_bias=True),
        "qwen3": Family(has_head_norms=True),
        "gemma": Family(is_tied=True),
        "gemma2": Family(norms=4, is_tied=True),
        "gemma3_text": Family(norms=4, has_head_norms=True, is_tied=True),
        "mixtral": Family(has_experts=True),
        "qwen2_moe": Family(has_input_bias=True, has_experts=True),
        "qwen3_moe": Family(has_head_norms=True, has_experts=True),
        "deepseek_v2": Family(has_experts=True, is_latent=True),
        "deepseek_v3": Family(has_experts=True, is_latent=True),
    }
)


@dataclass(frozen=True)
class _Experts:
    """The experts of a layer, the parameters of each, and those of the router and the shared experts."""

    count: int
    used: int
    each: int
    beside: int
    layers: int


def is_tied(reader: Reader, family: str) -> bool:
    """Return whether the output layer is the embedding, by the file or by the default of the family."""
    return reader.flag("tie_word_embeddings", FAMILIES[family].is_tied if family in FAMILIES else False)


def count_parameters(reader: Reader, family: str) -> Parameters | None:
    """Return the parameters of a model; None for a family that is not known. Raises Invalid for missing keys."""
    known = FAMILIES.get(family)
    if known is None:
        return None
    hidden, layers = size_in(reader, "hidden_size"), layer_count(reader)
    attention = _latent_attention(reader) if known.is_latent else _attention(reader, known)
    experts = _experts(reader, family) if known.has_experts else _Experts(0, 0, 0, 0, 0)
    dense = _gated(reader, size_in(reader, "intermediate_size")) if experts.layers < layers else 0
    embedding = size_in(reader, "vocab_size") * hidden
    tied = is_tied(reader, family)
    total = embedding * (1 if tied else 2) + hidden
    total += layers * (attention + known.norms * hidden) + (layers - experts.layers) * dense
    total += experts.layers * (experts.beside + experts.count * experts.each)
    unused = experts.layers * (experts.count - experts.used) * experts.each
    return Parameters(total, total - unused, embedding, is_tied=tied)


def _attention(reader: Reader, family: Family) -> int:
    """Return the parameters of queries, keys, values and output, with biases and norms of heads."""
    hidden, width = size_in(reader, "hidden_size"), head_width(reader)
    queries, keys = width * size_in(reader, "num_attention_heads"), width * key_value_heads(reader)
    biases = 0
    if family.has_input_bias or reader.flag("attention_bias", False):
        biases = queries + 2 * keys + (0 if family.has_input_bias else hidden)
    return 2 * hidden * (queries + keys) + biases + (2 * width if family.has_head_norms else 0)


def _latent_attention(reader: Reader) -> int:
    """Return the parameters of multi-head latent attention, whose queries are compressed if they have a rank."""
    hidden, heads, rank = (size_in(reader, key) for key in ("hidden_size", "num_attention_heads", "kv_lora_rank"))
    plain, rotated, value = (size_in(reader, key) for key in ("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim"))
    queries = heads * (plain + rotated)
    if reader.has("q_lora_rank"):
        query_rank = size_in(reader, "q_lora_rank")
        into = query_rank * (hidden + 1 + queries)
    else:
        into = hidden * queries
    compressed = hidden * (rank + rotated) + rank
    return into + compressed + rank * heads * (plain + value) + heads * value * hidden


def _gated(reader: Reader, width: int) -> int:
    """Return the parameters of a gated feed-forward layer of this width."""
    hidden = size_in(reader, "hidden_size")
    return 3 * hidden * width + (2 * width + hidden if reader.flag("mlp_bias", False) else 0)


def _experts(reader: Reader, family: str) -> _Experts:
    """Return the experts of a family, which each names in its own way."""
    hidden, layers, used = size_in(reader, "hidden_size"), layer_count(reader), size_in(reader, "num_experts_per_tok")
    if family == "mixtral":
        count, each = size_in(reader, "num_local_experts"), _gated(reader, size_in(reader, "intermediate_size"))
        return _checked(reader, _Experts(count, used, each, count * hidden, layers))
    width = size_in(reader, "moe_intermediate_size")
    each = _gated(reader, width)
    if family in ("qwen2_moe", "qwen3_moe"):
        count, shared = size_in(reader, "num_experts"), 0
        if family == "qwen2_moe":
            shared = _gated(reader, size_in(reader, "shared_expert_intermediate_size")) + hidden
        step, dense = size_in(reader, "decoder_sparse_step", 1), _numbers(reader, "mlp_only_layers")
        sparse = sum(number not in dense and (number + 1) % step == 0 for number in range(layers))
        return _checked(reader, _Experts(count, used, each, count * hidden + shared, sparse))
    count, shared_count = size_in(reader, "n_routed_experts"), reader.whole("n_shared_experts", 0)
    bias = count if reader.text("topk_method", "") == "noaux_tc" else 0
    step, first = size_in(reader, "moe_layer_freq", 1), reader.whole("first_k_dense_replace", 0)
    sparse = sum(number >= first and number % step == 0 for number in range(layers))
    return _checked(reader, _Experts(count, used, each, count * hidden + bias + shared_count * each, sparse))


def _checked(reader: Reader, experts: _Experts) -> _Experts:
    if experts.used > experts.count:
        raise reader.fault("num_experts_per_tok", f"must be at most the {experts.count} experts of a layer.")
    return experts


def _numbers(reader: Reader, key: str) -> frozenset[int]:
    """Return a list of the numbers of layers; none if it is missing."""
    numbers = reader.plain(key) if reader.has(key) else []
    if not isinstance(numbers, list | tuple) or not all(type(number) is int for number in numbers):
        raise reader.fault(key, "must be a list of whole numbers.")
    return frozenset(numbers)
