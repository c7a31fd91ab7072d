"""Kinds of price: an amount that is a price says of what, so that a spec file must give it by SKU or with
its source.
"""

import dataclasses
from typing import Annotated, Any


@dataclasses.dataclass(frozen=True)
class Per:
    """The units that a price may be of."""

    units: tuple[str, ...]


UsdPerInstanceH = Annotated[Any, Per(("instance_h",))]
UsdPerGpuH = Annotated[Any, Per(("gpu_h",))]
UsdPerMillionTokens = Annotated[Any, Per(("million_tokens",))]
UsdPerRequest = Annotated[Any, Per(("request",))]
UsdPerGbMonth = Annotated[Any, Per(("gb_month",))]
UsdPerGb = Annotated[Any, Per(("gb",))]
UsdPerGbS = Annotated[Any, Per(("gb_s",))]
