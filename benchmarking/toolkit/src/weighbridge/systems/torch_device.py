"""The device of a PyTorch module: the processor, or a card of NVIDIA with the provider `cuda`."""

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra
from weighbridge.measure.conditions.manifest import describe_machine
from weighbridge.measure.scenarios import RuntimeSettings

ON_CPU = "cpu"
# Processor flags of bfloat16 support, on x86 and Arm.
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
# Compute capability of Ampere, the first cards with bfloat16.
AMPERE = 8


def device_of(engine: RuntimeSettings) -> str:
    """Return the device of PyTorch, `cpu` or `cuda:1`; raise Invalid for a card that PyTorch cannot use."""
    if engine.card is None:
        return ON_CPU
    unknown = sorted(engine.options.keys() - {"device_id"})
    if unknown:
        text = f"PyTorch has no option {', '.join(unknown)} of the provider cuda, only device_id."
        raise Invalid(text, field="provider_option")
    cuda = import_extra("torch").cuda
    if not cuda.is_available():
        text = "PyTorch cannot use CUDA here: its driver is missing, or this PyTorch was built without CUDA."
        raise Invalid(text, code="provider_missing", field="provider")
    if engine.card >= cuda.device_count():
        text = f"PyTorch sees {cuda.device_count()} cards, numbered from 0; there is no card {engine.card}."
        raise Invalid(text, field="provider_option")
    return f"cuda:{engine.card}"


def has_bfloat16(device: str) -> bool:
    """Return whether a device computes in bfloat16 itself, on a card from Ampere on."""
    if device == ON_CPU:
        return not BFLOAT16_FLAGS.isdisjoint(describe_machine()["cpu_flags"])
    major, _ = import_extra("torch").cuda.get_device_capability(device)
    return bool(major >= AMPERE)
