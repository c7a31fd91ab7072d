"""The rows whose words contain given words, newest first, in one query that reads a bounded number of entries."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from governance.search_index.models import BLOCK

EVERYBODYS = "#all"
"""The tag of every entry."""
LISTED_MOST = 10_000
"""How many hits a list shows at most."""
ENTER_NOW = (
    "SET CONSTRAINTS search_follow, search_follow_authorization, search_follow_version, search_follow_model IMMEDIATE"
)
"""Triggers make entries at the commit. What a transaction has changed is found in it, too, after this statement."""
_WALK = """
WITH RECURSIVE wanted AS (
  SELECT place, kind, audience, by_words, most,
         ARRAY(SELECT upper(pattern) FROM unnest(patterns) AS pattern) AS patterns,
         required || ARRAY(SELECT part FROM unnest(phrases) AS phrase, unnest(search_parts(phrase)) AS part) AS required
  FROM jsonb_to_recordset(%(given)s) AS given(place int, kind text, audience text[], required text[], phrases text[],
                                       patterns text[], by_words bool, most int)
), walk AS (
  SELECT wanted.*, ARRAY[]::bigint[] AS ids,
         CASE WHEN by_words THEN 0 ELSE (
           SELECT coalesce(max(object_id), 0) / %(block)s FROM search_index_searchentry AS entry
           WHERE entry.kind = wanted.kind
         ) END AS block
  FROM wanted
  UNION ALL
  SELECT place, kind, audience, by_words, most, patterns, required, ids || ARRAY(
    SELECT object_id FROM (
      SELECT object_id, words FROM search_index_searchentry
      WHERE search_terms(words, tags) @> (walk.required || ('#' || walk.kind || '/' || walk.block))
        AND search_terms(words, tags) && walk.audience AND upper(words) LIKE ALL (walk.patterns)
      LIMIT %(block)s
    ) AS found
    ORDER BY CASE WHEN walk.by_words THEN words END, object_id DESC LIMIT walk.most - cardinality(walk.ids)
  ), block - 1
  FROM walk WHERE block >= 0 AND cardinality(ids) < most
)
SELECT DISTINCT ON (place) ids FROM walk ORDER BY place, block
"""


@dataclass(frozen=True, kw_only=True)
class WantedEntries:
    """What is looked for among the entries of a kind: those with all `phrases` in their words, or a tag of `exact`.

    Only entries with a tag of `audience` are found, at most `most`: the newest, or with `by_words` (for kinds whose
    entries are all in block 0) the first by their words.
    """

    kind: str
    audience: Sequence[str] = (EVERYBODYS,)
    phrases: Sequence[str] = ()
    exact: Sequence[str] = ()
    by_words: bool = False
    most: int


def found(wanted: Sequence[WantedEntries]) -> list[list[int]]:
    """The IDs for each of the wanted, in order. It is one query."""
    walks = [(place, walk) for place, each in enumerate(wanted) for walk in _walks(each)]
    with connection.cursor() as cursor:
        if connection.in_atomic_block:
            cursor.execute(ENTER_NOW)
        given = json.dumps([{"place": number, **walk} for number, (_, walk) in enumerate(walks)])
        cursor.execute(_WALK, {"given": given, "block": BLOCK})
        rows = cursor.fetchall()
    results: list[list[int]] = [[] for _ in wanted]
    for (place, _), (ids,) in zip(walks, rows, strict=True):
        results[place] += ids
    return [_merged(each, ids) for each, ids in zip(wanted, results, strict=True)]


def found_whole(wanted: WantedEntries) -> list[int] | None:
    """The IDs of all that is wanted; None if there may be more than a search reads."""
    (ids,) = found([wanted])
    return ids if len(ids) < min(wanted.most, BLOCK if wanted.by_words else wanted.most) else None


def _walks(wanted: WantedEntries) -> Iterator[dict[str, Any]]:
    common = {name: getattr(wanted, name) for name in ("kind", "audience", "by_words", "most")}
    patterns = ["%" + re.sub(r"([%_\\])", r"\\\1", phrase) + "%" for phrase in wanted.phrases]
    yield {**common, "phrases": wanted.phrases, "patterns": patterns, "required": ()}
    yield from ({**common, "phrases": (), "patterns": (), "required": (tag,)} for tag in wanted.exact)


def _merged(wanted: WantedEntries, ids: Sequence[int]) -> list[int]:
    unique = dict.fromkeys(ids)
    return (list(unique) if wanted.by_words else sorted(unique, reverse=True))[: wanted.most]
