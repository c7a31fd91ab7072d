"""The caches of the layers that a `config.json` of Hugging Face describes: full attention, windows, and MLA.

The keys are those of the configurations of transformers (https://github.com/huggingface/transformers, `models/*/
configuration_*.py`): `num_key_value_heads`, `head_dim`, `sliding_window`, `layer_types`, `kv_lora_rank` and others.
"""

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.subjects.deployment.architecture import LARGEST_WIDTH, LayerGroup, check_layers, grouped

FULL, SLIDING, CHUNKED = "full_attention", "sliding_attention", "chunked_attention"
# Of so many layers, the last one has full attention and the others a window, where a file does not list its layers.
_PATTERNS = {"gemma2": 2, "gemma3_text": 6, "cohere2": 4, "gpt_oss": 2}


def size_in(reader: Reader, key: str, default: int | None = None) -> int:
    """Return a width or a count, at least 1."""
    return reader.whole(key, default, at_least=1, at_most=LARGEST_WIDTH)


def head_width(reader: Reader) -> int:
    """Return the width of a head: `head_dim`, else the hidden width divided among the heads."""
    if reader.has("head_dim"):
        return size_in(reader, "head_dim")
    hidden, heads = size_in(reader, "hidden_size"), size_in(reader, "num_attention_heads")
    if hidden % heads:
        raise reader.fault("head_dim", f"is missing, and {hidden:,} is no multiple of {heads} heads.")
    return hidden // heads


def layer_count(reader: Reader) -> int:
    """Return the number of layers."""
    layers = size_in(reader, "num_hidden_layers")
    check_layers(layers, field=reader.at("num_hidden_layers"))
    return layers


def groups_of(reader: Reader, family: str) -> tuple[LayerGroup, ...]:
    """Return the caches of all layers; raise Invalid for layers of another kind than attention."""
    layers = layer_count(reader)
    if reader.has("kv_lora_rank"):
        width = size_in(reader, "kv_lora_rank") + size_in(reader, "qk_rope_head_dim")
        return (LayerGroup(layers, 1, width, 0, is_latent=True),)
    heads = key_value_heads(reader)
    width = head_width(reader)
    value_width = size_in(reader, "v_head_dim", width)
    kinds = _kinds(reader, family, layers)
    windows = {
        FULL: None,
        SLIDING: size_in(reader, "sliding_window") if SLIDING in kinds else None,
        CHUNKED: size_in(reader, "attention_chunk_size") if CHUNKED in kinds else None,
    }
    return grouped([LayerGroup(1, heads, width, value_width, windows[kind]) for kind in kinds])


def key_value_heads(reader: Reader) -> int:
    """Return the number of heads of keys and values: as many as heads (MHA), some (GQA) or one (MQA)."""
    if reader.has("multi_query") and reader.flag("multi_query"):
        return 1
    return size_in(reader, "num_key_value_heads", size_in(reader, "num_attention_heads"))


def _kinds(reader: Reader, family: str, layers: int) -> list[str]:
    """Return the kind of attention of each layer."""
    if reader.has("layer_types"):
        return _listed(reader, layers)
    if not reader.has("sliding_window") or (reader.has("use_sliding_window") and not reader.flag("use_sliding_window")):
        return [FULL] * layers
    if reader.has("max_window_layers") and reader.has("use_sliding_window"):
        first = reader.whole("max_window_layers")
        return [FULL if number < first else SLIDING for number in range(layers)]
    period = _PATTERNS.get(family)
    if reader.has("sliding_window_pattern"):
        period = size_in(reader, "sliding_window_pattern")
    if period is None:
        return [SLIDING] * layers
    return [SLIDING if number % period else FULL for number in range(1, layers + 1)]


def _listed(reader: Reader, layers: int) -> list[str]:
    kinds = reader.plain("layer_types")
    if not isinstance(kinds, list | tuple) or len(kinds) != layers:
        raise reader.fault("layer_types", f"must be a list of {layers} kinds, one for each layer.")
    other = [kind for kind in kinds if kind not in (FULL, SLIDING, CHUNKED)]
    if other:
        text = f"has layers of the kind {str(other[0])[:60]!r}, whose memory is not known; measure the model instead."
        raise Invalid(f"{reader.at('layer_types')} {text}", code="layer_kind", field=reader.at("layer_types"))
    return list(kinds)
