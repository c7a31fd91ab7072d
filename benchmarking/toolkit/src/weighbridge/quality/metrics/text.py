"""Metrics of texts. Each text may have several references; the best one counts, except where texts are added up."""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.extras import import_extra
from weighbridge.quality.metrics.prepared import OfSums, Prepared, mean_of, ratio_of
from weighbridge.quality.metrics.registry import ERROR_BOUNDS, Task, Undefined, register
from weighbridge.quality.predictions.rows import Rows

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)
CHRF_ORDERS, CHRF_BETA = 6, 2


@register("exact_match", task=Task.TEXT)
def exact_match(rows: Rows) -> Prepared:
    """Return the share of texts that equal a reference, without spaces at their ends."""
    return mean_of(_best(rows, lambda truth, text: float(truth.strip() == text.strip())))


@register("token_f1", task=Task.TEXT)
def token_f1(rows: Rows) -> Prepared:
    """Return the mean F1 of words, in lower case and without punctuation and articles (SQuAD, Rajpurkar 2016)."""
    return mean_of(_best(rows, _words_f1))


@register("wer", task=Task.TEXT, is_higher_better=False, bounds=ERROR_BOUNDS)
def wer(rows: Rows) -> Prepared:
    """Return the word error rate: edits to the reference over all texts / words of the references, by jiwer."""
    return _error_rate(rows, import_extra("jiwer").process_words, "word")


@register("cer", task=Task.TEXT, is_higher_better=False, bounds=ERROR_BOUNDS)
def cer(rows: Rows) -> Prepared:
    """Return the character error rate: edits to the reference over all texts / its characters, by jiwer."""
    return _error_rate(rows, import_extra("jiwer").process_characters, "character")


@register("chrf", task=Task.TEXT)
def chrf(rows: Rows) -> Prepared:
    """Return chrF2 over all texts as a ratio (Popović 2015): the F-score of character n-grams, by sacrebleu."""
    counts = import_extra("sacrebleu.metrics").CHRF(char_order=CHRF_ORDERS, beta=CHRF_BETA)
    texts = [str(text) for text in rows["prediction"]]
    references: list[list[str]] = [list(truth) for truth in rows["truth"]]
    widest = max(map(len, references))
    # sacrebleu takes one list for each place of a reference, with None where a text has fewer.
    streams = [[each[place] if place < len(each) else None for each in references] for place in range(widest)]
    # Only this method returns the counts of each text, which sacrebleu adds up for the score of all texts.
    parts = counts._extract_corpus_statistics(texts, streams)  # noqa: SLF001 -- as the comment says
    return OfSums(np.array(parts, dtype=np.float64), _chrf)


def _chrf(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the F-score from counts of shape (..., 3 * orders): n-grams of the texts, of references, and common."""
    own, real, common = np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 3), -1, 0)
    counts = (own > 0) & (real > 0)
    orders = np.maximum(counts.sum(axis=-1), 1)
    precision = np.where(counts, common / np.maximum(own, 1), 0).sum(axis=-1) / orders
    recall = np.where(counts, common / np.maximum(real, 1), 0).sum(axis=-1) / orders
    weight = CHRF_BETA**2
    bottom = weight * precision + recall
    return np.where(bottom > 0, (1 + weight) * precision * recall / np.where(bottom > 0, bottom, 1), 0.0)


def _best(rows: Rows, score: Callable[[str, str], float]) -> NDArray[np.float64]:
    pairs = zip(rows["truth"], rows["prediction"], strict=True)
    return np.array([max(score(truth, text) for truth in references) for references, text in pairs])


def _words_f1(truth: str, text: str) -> float:
    real, own = Counter(_words(truth)), Counter(_words(text))
    if not real or not own:
        return float(real == own)
    common = sum((real & own).values())
    return 2 * common / (sum(real.values()) + sum(own.values()))


def _words(text: str) -> list[str]:
    return ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split()


def _error_rate(rows: Rows, process: Callable[..., Any], what: str) -> Prepared:
    """Return edits / units of the references; of several references, the one with the lowest rate counts."""
    empty = [number for number, references in enumerate(rows["truth"], 1) if not all(map(str.strip, references))]
    if empty:
        text = f"The {what} error rate is not defined, because the reference is empty in {len(empty):,} rows"
        raise Undefined(f"{text} (the first is row {empty[0]:,}).")
    pairs = zip(rows["truth"], rows["prediction"], strict=True)
    counted = [_edits([process(truth, text) for truth in references]) for references, text in pairs]
    edits, sizes = zip(*counted, strict=True)
    return ratio_of(np.array(edits), np.array(sizes))


def _edits(found: Sequence[Any]) -> tuple[int, int]:
    """Return the edits and the size of the reference that needs the fewest edits for its size."""
    sizes = [each.hits + each.substitutions + each.deletions for each in found]
    edits = [each.substitutions + each.deletions + each.insertions for each in found]
    return min(zip(edits, sizes, strict=True), key=lambda pair: (pair[0] / pair[1], pair[1]))
