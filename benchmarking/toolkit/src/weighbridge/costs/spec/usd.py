"""Types of prices: an amount that is a price states its unit, so that a spec must give it by SKU or with a source."""

from typing import Annotated, Any

UsdPerInstanceH = Annotated[Any, "instance_h"]
UsdPerGpuH = Annotated[Any, "gpu_h"]
UsdPerMillionTokens = Annotated[Any, "million_tokens"]
UsdPerRequest = Annotated[Any, "request"]
UsdPerGbMonth = Annotated[Any, "gb_month"]
UsdPerGb = Annotated[Any, "gb"]
UsdPerGbS = Annotated[Any, "gb_s"]
UsdPerMillionCharacters = Annotated[Any, "million_characters"]
UsdPerAudioH = Annotated[Any, "audio_h"]
UsdPerMessage = Annotated[Any, "message"]
UsdPerPage = Annotated[Any, "page"]
UsdPerSearch = Annotated[Any, "search"]
