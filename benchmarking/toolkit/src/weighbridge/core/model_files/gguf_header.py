"""What a GGUF file states about itself, as far as it is kept, and the types of its tensors.

The names and sizes of the types are those of `GGMLQuantizationType` and `GGML_QUANT_SIZES` of the package gguf.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

LONGEST_LIST = 1_000
"""The numbers of a list that is kept; the lists have one number for each layer."""
LONGEST_TEMPLATE_BYTES = 1_000_000
TEMPLATE, TOKENS, NAME, LICENSE = (
    "tokenizer.chat_template",
    "tokenizer.ggml.tokens",
    "general.name",
    "general.license",
)
NUMBERS = frozenset(
    {
        "attention.head_count",
        "attention.head_count_kv",
        "attention.key_length",
        "attention.key_length_mla",
        "attention.kv_lora_rank",
        "attention.sliding_window",
        "attention.sliding_window_pattern",
        "attention.value_length",
        "attention.value_length_mla",
        "block_count",
        "context_length",
        "count",
        "embedding_length",
        "expert_count",
        "expert_used_count",
        "full_attention_interval",
        "rope.dimension_count",
        "ssm.state_size",
        "vocab_size",
    }
)
"""The keys of numbers that are kept, without their first part: the architecture, or `split`."""

Number = int | float | bool


class TensorType(NamedTuple):
    """A type of tensors: its name, and the elements and bytes of a block."""

    name: str
    elements: int
    size_bytes: int


TENSOR_TYPES: Mapping[int, TensorType] = {
    0: TensorType("F32", 1, 4),
    1: TensorType("F16", 1, 2),
    2: TensorType("Q4_0", 32, 18),
    3: TensorType("Q4_1", 32, 20),
    6: TensorType("Q5_0", 32, 22),
    7: TensorType("Q5_1", 32, 24),
    8: TensorType("Q8_0", 32, 34),
    9: TensorType("Q8_1", 32, 40),
    10: TensorType("Q2_K", 256, 84),
    11: TensorType("Q3_K", 256, 110),
    12: TensorType("Q4_K", 256, 144),
    13: TensorType("Q5_K", 256, 176),
    14: TensorType("Q6_K", 256, 210),
    15: TensorType("Q8_K", 256, 292),
    16: TensorType("IQ2_XXS", 256, 66),
    17: TensorType("IQ2_XS", 256, 74),
    18: TensorType("IQ3_XXS", 256, 98),
    19: TensorType("IQ1_S", 256, 50),
    20: TensorType("IQ4_NL", 32, 18),
    21: TensorType("IQ3_S", 256, 110),
    22: TensorType("IQ2_S", 256, 82),
    23: TensorType("IQ4_XS", 256, 136),
    24: TensorType("I8", 1, 1),
    25: TensorType("I16", 1, 2),
    26: TensorType("I32", 1, 4),
    27: TensorType("I64", 1, 8),
    28: TensorType("F64", 1, 8),
    29: TensorType("IQ1_M", 256, 56),
    30: TensorType("BF16", 1, 2),
    34: TensorType("TQ1_0", 256, 54),
    35: TensorType("TQ2_0", 256, 66),
    39: TensorType("MXFP4", 32, 17),
    40: TensorType("NVFP4", 64, 36),
    41: TensorType("Q1_0", 128, 18),
}


@dataclass(frozen=True, kw_only=True)
class GgufHeader:
    """The statements of a header that was compared with its file.

    `numbers` are by key, a list of them for each layer as a tuple. `types` counts the tensors of each type.
    `chat_template` is the digest `sha256:<64 hex>` of the template, "" without one; `vocabulary` the number of tokens,
    None without a list of them. `expert_parameters` are those of tensors with experts; `has_output` is true if the
    output layer has a tensor of its own.
    """

    version: int
    architecture: str
    name: str
    license: str
    chat_template: str
    vocabulary: int | None
    numbers: Mapping[str, Number | tuple[Number, ...]]
    tensors: int
    types: Mapping[str, int]
    tensor_bytes: int
    parameters: int
    expert_parameters: int
    has_output: bool

    def as_document(self) -> dict[str, object]:
        """Return what an inspection reports of the file."""
        return {
            "version": self.version,
            "architecture": self.architecture,
            "tensors": self.tensors,
            "tensor_types": dict(self.types),
            "tensor_bytes": self.tensor_bytes,
            "parameters": self.parameters,
            "license": self.license,
            "chat_template": self.chat_template,
        }
