"""A language model by the `config.json` of Hugging Face, with the files of weights beside it."""

import struct
from collections.abc import Mapping
from pathlib import Path

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_object, read_bytes
from weighbridge.core.parsing.limits import DOCUMENT, MEASUREMENT
from weighbridge.subjects.deployment.architecture import LARGEST_BYTES, LanguageModel, ModelWeights, Parameters
from weighbridge.subjects.deployment.config_layers import groups_of, layer_count
from weighbridge.subjects.deployment.parameter_count import count_parameters

CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
ONE_FILE = "model.safetensors"
_U64 = struct.Struct("<Q")
_BITS = {"float32": 32, "float16": 16, "bfloat16": 16, "float8_e4m3fn": 8, "float8_e5m2": 8}
# What the configurations of transformers take for keys that a file leaves out.
_DEFAULTS: Mapping[str, Mapping[str, int]] = {
    "gemma": {"head_dim": 256},
    "gemma2": {"head_dim": 256, "sliding_window": 4096},
    "gemma3_text": {
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "sliding_window": 4096,
        "vocab_size": 262_208,
        "max_position_embeddings": 131_072,
    },
}


def read_config(path: Path) -> LanguageModel:
    """Return the model of a `config.json`.

    Its weights are those of the index, or of the only safetensors file, beside it, else its parameters times their
    bits. Raises Invalid for missing keys, and for weights that nothing states.
    """
    document = parse_object(read_bytes(path, limits=DOCUMENT, field="model"), name=path.name, field="model")
    inner = document.get("text_config")
    is_part = isinstance(inner, Mapping)
    config = {**document, **inner} if isinstance(inner, Mapping) else document
    family = Reader(config).text("model_type")
    reader = Reader({**_DEFAULTS.get(family, {}), **config})
    counted = None if is_part else count_parameters(reader, family)
    return LanguageModel(
        source=path.name,
        family=family,
        name=path.resolve().parent.name,
        context=reader.whole("max_position_embeddings", at_least=1) if reader.has("max_position_embeddings") else None,
        layers=layer_count(reader),
        groups=groups_of(reader, family),
        parameters=counted,
        weights=_weights(path.parent, reader, counted),
        notes=tuple(_notes(family, counted, is_part=is_part)),
    )


def _notes(family: str, counted: Parameters | None, *, is_part: bool) -> list[str]:
    if is_part:
        return ["The model takes other inputs than text; its caches are those of the text, its parameters not counted."]
    if counted is None:
        return [f"The type {family} is not known; its layers are read as attention, and its parameters not counted."]
    return []


def _weights(folder: Path, reader: Reader, counted: Parameters | None) -> ModelWeights:
    index, one = folder / INDEX, folder / ONE_FILE
    if index.is_file():
        content = parse_object(read_bytes(index, limits=MEASUREMENT, field="model"), name=INDEX, field="model")
        metadata = Reader(content, path=INDEX).mapping("metadata")
        return ModelWeights(metadata.whole("total_size", at_least=1, at_most=LARGEST_BYTES), INDEX)
    if one.is_file():
        return ModelWeights(_tensor_bytes(one), ONE_FILE)
    if counted is None:
        text = (
            f"Nothing states the size of the weights; put {INDEX} or {ONE_FILE} beside {CONFIG}, or give a GGUF file."
        )
        raise Invalid(text, code="weights_unknown", field="model")
    bits = _bits(reader)
    return ModelWeights(-(-counted.total * bits // 8), f"parameters of {bits} bits")


def _tensor_bytes(path: Path) -> int:
    """Return the bytes of a safetensors file without its header, whose length is its first eight bytes."""
    try:
        with path.open("rb") as file:
            head, size = file.read(_U64.size), path.stat().st_size
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", field="model") from error
    rest = size - _U64.size - (_U64.unpack(head)[0] if len(head) == _U64.size else size)
    if rest <= 0:
        raise Invalid(f"{path.name} is no complete safetensors file; copy it again.", field="model")
    return rest


def _bits(reader: Reader) -> int:
    """Return the bits of a parameter, by the quantization or the type of the weights."""
    if reader.has("quantization_config"):
        quantized = reader.mapping("quantization_config")
        if quantized.has("bits"):
            return quantized.whole("bits", at_least=1, at_most=64)
        if quantized.text("quant_method", "") == "fp8":
            return 8
        text = f"has no bits, so that the size of the weights is not known; put {INDEX} beside {CONFIG}."
        raise reader.fault("quantization_config", text)
    key = "dtype" if reader.has("dtype") else "torch_dtype"
    name = reader.text(key)
    if name not in _BITS:
        raise reader.fault(key, f"must be one of {', '.join(_BITS)}.")
    return _BITS[name]
