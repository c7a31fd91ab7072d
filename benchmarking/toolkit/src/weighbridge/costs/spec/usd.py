"""Types of prices: an amount that is a price states its unit, so that a spec must give it by SKU or with a source."""

import dataclasses
from typing import Annotated, Any


@dataclasses.dataclass(frozen=True)
class Per:
    """The accepted units of a price."""

    units: tuple[str, ...]


UsdPerInstanceH = Annotated[Any, Per(("instance_h",))]
UsdPerGpuH = Annotated[Any, Per(("gpu_h",))]
UsdPerMillionTokens = Annotated[Any, Per(("million_tokens",))]
UsdPerRequest = Annotated[Any, Per(("request",))]
UsdPerGbMonth = Annotated[Any, Per(("gb_month",))]
UsdPerGb = Annotated[Any, Per(("gb",))]
UsdPerGbS = Annotated[Any, Per(("gb_s",))]
