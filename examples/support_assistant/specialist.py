"""D: a small specialist. Four linear classifiers on a hashed bag of words, trained here in seconds, served for real.

It sees the text of the customer and the rules as words and pairs of words, hashed into 4,096 places. One classifier
says what is asked for; the others say days, department and priority. The order number is found by its pattern. There is
no language model in it, so that it answers these four kinds of questions and no other, and it learned the rules of this
shop: when a rule changes, it must be trained again.

`python -m examples.support_assistant.specialist FILE` serves a trained file; its first line is its address.
"""

import asyncio
import itertools
import re
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from examples.support_assistant.double.answers import last_question
from examples.support_assistant.double.clock import precise_loop
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.running import address_of, serve
from examples.support_assistant.double.serving import Double
from examples.support_assistant.shop import DAYS, DEPARTMENTS, PRIORITIES
from examples.support_assistant.stand_ins import ORDER_NUMBER
from examples.support_assistant.tickets import DEPARTMENT, KINDS, NUMBER, ORDER, SupportTicket, routing_text
from weighbridge.core.errors import Invalid

PROGRAM = "examples.support_assistant.specialist"
PLACES, PASSES, RATE, MOMENTUM, DECAY = 4_096, 150, 4.0, 0.9, 1e-5
WORD = re.compile(r"[a-z]+|\d+")
LABELS: Mapping[str, Sequence[Any]] = {
    "kind": KINDS,
    "days": DAYS,
    "department": DEPARTMENTS,
    "priority": PRIORITIES,
}
# No delay is added, nothing is cached: the time of an answer is that of its computation and of HTTP.
LAW = Law(ttft_ms=0.0, tpot_ms=0.0, cache_block=0, model="specialist")
Weights = NDArray[np.float32]


def places_of(text: str) -> list[int]:
    """Return the places of a text's words and pairs of words, each once, in rising order."""
    words = WORD.findall(text.lower())
    parts = {*words, *(f"{one} {other}" for one, other in itertools.pairwise(words))}
    return sorted({zlib.crc32(part.encode()) % PLACES for part in parts})


def features(texts: Sequence[str]) -> Any:
    """Return a sparse matrix, shape (texts, PLACES), whose rows have length 1."""
    from scipy.sparse import csr_matrix

    places = [places_of(text) for text in texts]
    values = np.concatenate([np.full(len(each), 1 / max(1.0, len(each)) ** 0.5, np.float32) for each in places])
    ends = np.cumsum([0, *(len(each) for each in places)])
    return csr_matrix((values, np.concatenate(places).astype(np.int32), ends), shape=(len(texts), PLACES))


def fit(rows: Any, labels: NDArray[np.int64], classes: int) -> Weights:
    """Return the weights, shape (PLACES, classes), of a logistic regression by gradient descent with momentum."""
    weights = np.zeros((PLACES, classes), dtype=np.float32)
    speed, wanted, turned = np.zeros_like(weights), np.eye(classes, dtype=np.float32)[labels], rows.T.tocsr()
    for _ in range(PASSES):
        scores = rows @ weights
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        speed = MOMENTUM * speed - RATE * (turned @ (shares - wanted) / len(labels) + DECAY * weights)
        weights += speed
    return weights


class Specialist:
    """The classifiers by name; an instance is called with a request and returns the answer."""

    def __init__(self, heads: Mapping[str, Weights]) -> None:
        """Raise Invalid if a classifier is missing or has another shape."""
        for name, labels in LABELS.items():
            if name not in heads or heads[name].shape != (PLACES, len(labels)):
                raise Invalid(f"The file of the specialist has no classifier {name}; train again.", field="model")
        self.heads = dict(heads)

    def __call__(self, request: Mapping[str, Any]) -> str:
        """Answer a request for a chat completion."""
        return self.answer(last_question(request))

    def answer(self, text: str) -> str:
        """Answer a ticket."""
        row, number = places_of(text), ORDER_NUMBER.search(text)
        order, kind = number[0] if number else "", self._label("kind", row)
        if kind == NUMBER:
            return str(self._label("days", row))
        if kind == ORDER:
            return order
        department = str(self._label("department", row))
        return department if kind == DEPARTMENT else routing_text(department, self._label("priority", row), order)

    def _label(self, name: str, row: Sequence[int]) -> Any:
        return LABELS[name][int(np.argmax(self.heads[name][row].sum(axis=0)))]


def train(tickets: Sequence[SupportTicket]) -> Specialist:
    """Return a specialist that learned from tickets; each classifier from those that have its label."""
    rows, heads = features([each.text for each in tickets]), {}
    for name, labels in LABELS.items():
        places = [place for place, each in enumerate(tickets) if getattr(each, name) is not None]
        stated = np.array([labels.index(getattr(tickets[place], name)) for place in places], dtype=np.int64)
        heads[name] = fit(rows[places], stated, len(labels))
    return Specialist(heads)


def save(specialist: Specialist, path: Path) -> None:
    """Write the classifiers to an `.npz` file."""
    heads: dict[str, Any] = dict(specialist.heads)
    np.savez_compressed(path, **heads)


def load(path: Path) -> Specialist:
    """Read the classifiers, executing nothing. Raises Invalid for another file."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Specialist({name: stored[name] for name in stored.files})
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise Invalid(f"{path} is no trained specialist; train again.", field="model") from error


async def run(path: Path) -> None:
    """Serve until the process is ended."""
    server = await serve(Double(LAW, answer=load(path)))
    sys.stdout.write(f"{address_of(server)}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main(arguments: list[str] | None = None) -> None:
    """Run as a program with the trained file; exit with a sentence if it cannot be read."""
    (path,) = sys.argv[1:] if arguments is None else arguments
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        try:
            runner.run(run(Path(path)))
        except Invalid as refused:
            sys.exit(f"specialist: {refused.reason}")


if __name__ == "__main__":
    main()
