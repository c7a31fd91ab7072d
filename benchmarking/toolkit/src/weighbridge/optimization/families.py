"""Families: combine several models, each with its variants, into one choice."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from weighbridge.tradeoff.candidates import Candidate, Candidates


def merge_families(
    families: Mapping[str, Candidates], *, sealed: Mapping[str, Any] | None, is_partial: bool
) -> Candidates:
    """Return the candidates of all families: `int8` of `resnet` becomes `resnet-int8`, with its files in that folder.

    The first family's baseline is the common one; drops and speed-ups stay relative to each family's own original.
    """
    floors = [found.noise_floor for found in families.values() if found.noise_floor is not None]
    first = next(iter(families))
    return Candidates(
        measured_at=max(found.measured_at for found in families.values()),
        baseline=f"{first}-{families[first].baseline}",
        candidates=tuple(_of(family, each) for family, found in families.items() for each in found.candidates),
        noise_floor=max(floors, default=None),
        is_partial=is_partial,
        manifest=sealed,
    )


def _of(family: str, candidate: Candidate) -> Candidate:
    file, result = (f"{family}/{path}" if path else None for path in (candidate.file, candidate.result_file))
    return dataclasses.replace(
        candidate, name=f"{family}-{candidate.name}", family=family, file=file, result_file=result
    )
