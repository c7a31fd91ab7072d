"""A language model by the header of a GGUF file, which states all that its memory depends on.

The keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Which layers have a window without a key that says
so is that of llama.cpp (`src/llama-model.cpp`, `set_swa_pattern`).
"""

from pathlib import Path

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.gguf_header import GgufHeader, Number
from weighbridge.core.model_files.inspection import read_gguf
from weighbridge.subjects.deployment.architecture import (
    LARGEST_WIDTH,
    LanguageModel,
    LayerGroup,
    ModelWeights,
    Parameters,
    check_layers,
    grouped,
)

_PATTERNS = {"gemma2": 2, "gemma3": 6, "cohere2": 4, "gpt-oss": 2}


def read_gguf_model(path: Path) -> LanguageModel:
    """Return the model of a GGUF file; raise Invalid for a damaged or split file, and for missing keys."""
    header = read_gguf(path.resolve(), name=path.name)
    if header.numbers.get("split.count", 1) != 1:
        text = f"{path.name} is one of several files; join them with llama-gguf-split --merge, and give the whole."
        raise Invalid(text, code="split_artifact", field="model")
    keys = _Keys(header)
    layers = keys.whole("block_count")
    check_layers(layers, field="block_count")
    return LanguageModel(
        source=path.name,
        family=header.architecture,
        name=header.name or path.stem,
        context=keys.whole("context_length") if keys.has("context_length") else None,
        layers=layers,
        groups=_groups(keys, layers),
        parameters=_parameters(keys),
        weights=ModelWeights(header.tensor_bytes, "header"),
        license=header.license,
        chat_template=header.chat_template,
    )


class _Keys:
    """The numbers of a header, under the name of its architecture."""

    def __init__(self, header: GgufHeader) -> None:
        self.header = header

    def has(self, key: str) -> bool:
        return f"{self.header.architecture}.{key}" in self.header.numbers

    def value(self, key: str) -> Number | tuple[Number, ...]:
        if not self.has(key):
            text = f"The header has no {self.header.architecture or 'general.architecture'}.{key}; convert it again."
            raise Invalid(text, code="header_key", field=key)
        return self.header.numbers[f"{self.header.architecture}.{key}"]

    def whole(self, key: str, default: int | None = None, *, at_least: int = 1) -> int:
        return self._checked(key, self.value(key) if self.has(key) or default is None else default, at_least)

    def each(self, key: str, layers: int, default: int) -> list[int]:
        """Return a number for each layer, from a list or one number for all; it may be 0."""
        value = self.value(key) if self.has(key) else default
        values = value if isinstance(value, tuple) else (value,) * layers
        if len(values) != layers:
            raise Invalid(f"{key} has {len(values)} numbers for {layers} layers; convert it again.", field=key)
        return [self._checked(key, each, 0) for each in values]

    def _checked(self, key: str, value: object, at_least: int) -> int:
        if type(value) is not int or not at_least <= value <= LARGEST_WIDTH:
            text = f"{key} must be a whole number from {at_least} to {LARGEST_WIDTH:,}; convert the model again."
            raise Invalid(text, code="header_key", field=key)
        return value


def _groups(keys: _Keys, layers: int) -> tuple[LayerGroup, ...]:
    if keys.has("attention.kv_lora_rank") and keys.has("attention.key_length_mla"):
        width = keys.whole("attention.kv_lora_rank") + keys.whole("rope.dimension_count")
        return (LayerGroup(layers, 1, width, 0, is_latent=True),)
    query_heads = keys.each("attention.head_count", layers, 0)
    heads = keys.each("attention.head_count_kv", layers, max(query_heads))
    if keys.has("ssm.state_size") or keys.has("full_attention_interval") or min(heads) == 0 or min(query_heads) == 0:
        text = "The model has layers of another kind than attention, whose memory is not known; measure it instead."
        raise Invalid(text, code="layer_kind", field="model")
    width = keys.whole("embedding_length") // max(query_heads)
    key_width = keys.whole("attention.key_length", width)
    value_width = keys.whole("attention.value_length", width)
    windows = _windows(keys, layers)
    return grouped([LayerGroup(1, heads[number], key_width, value_width, windows[number]) for number in range(layers)])


def _windows(keys: _Keys, layers: int) -> list[int | None]:
    """Return the window of each layer, None for full attention; without a pattern no layer has one, as in llama.cpp."""
    window = keys.whole("attention.sliding_window", 0, at_least=0) if keys.has("attention.sliding_window") else 0
    pattern: object = _PATTERNS.get(keys.header.architecture, 1)
    if keys.has("attention.sliding_window_pattern"):
        pattern = keys.value("attention.sliding_window_pattern")
    if isinstance(pattern, tuple):
        if len(pattern) != layers:
            raise Invalid(f"The header has windows for {len(pattern)} of {layers} layers.", field="model")
        return [window or None if has_window else None for has_window in pattern]
    if not isinstance(pattern, int) or pattern < 1:
        raise Invalid("attention.sliding_window_pattern must be a list or a whole number above 0.", field="model")
    return [window or None if number % pattern else None for number in range(1, layers + 1)]


def _parameters(keys: _Keys) -> Parameters:
    """Return the elements of all tensors; of experts, one token uses some."""
    header = keys.header
    unused = 0
    if header.expert_parameters and keys.has("expert_count"):
        count, used = keys.whole("expert_count"), keys.whole("expert_used_count")
        unused = header.expert_parameters * max(count - used, 0) // count
    vocabulary = header.vocabulary if header.vocabulary is not None else keys.whole("vocab_size", 1)
    embedding = vocabulary * keys.whole("embedding_length")
    return Parameters(header.parameters, header.parameters - unused, embedding, is_tied=not header.has_output)
