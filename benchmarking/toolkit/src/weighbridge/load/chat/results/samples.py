"""Raw samples of streamed answers: moments, tokens, and the gaps between all parts."""

import dataclasses
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.masking import hide_known
from weighbridge.load.chat.answer_stream import UNKNOWN, AnswerStream
from weighbridge.load.results.samples import NEVER

if TYPE_CHECKING:
    from weighbridge.load.chat.engine import ChatEngine

# Characters without a width, which `strip` keeps: zero-width space, joiners, word joiner, byte order mark.
INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
MOMENTS = ("headers_ns", "first_ns", "first_answer_ns", "finish_ns")
COUNTS = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")


@dataclasses.dataclass(frozen=True)
class ChatSamples:
    """Arrays (requests,) in order of the schedule, as in `LoadSamples`: times in ns from the start, NEVER (-1) if none.

    `prompt` is the place of the prompt in its file. Tokens are those of `usage`, -1 if unknown; `first_tokens` those of
    the first part. `finish` is a `StreamEnd`; `is_blank_first` says whether the first part shows nothing; `chunks`
    counts the parts of an answer, `coalesced` those of one read with the part before, `largest_gap_ns` is the longest
    time between two parts. `gaps_ns` has the times between parts of all answers, in order; those of request i end
    before `gap_ends[i]`. `texts` has what each answer said, if it was kept, with the keys text, reasoning, refusal,
    tool_calls and first (its first part). `models` are the models that the answers name, with their fingerprints.
    """

    prompt: NDArray[np.int64]
    headers_ns: NDArray[np.int64]
    first_ns: NDArray[np.int64]
    first_answer_ns: NDArray[np.int64]
    finish_ns: NDArray[np.int64]
    input_tokens: NDArray[np.int64]
    cached_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    reasoning_tokens: NDArray[np.int64]
    first_tokens: NDArray[np.int64]
    finish: NDArray[np.int64]
    is_refused: NDArray[np.bool_]
    is_blank_first: NDArray[np.bool_]
    chunks: NDArray[np.int64]
    coalesced: NDArray[np.int64]
    largest_gap_ns: NDArray[np.int64]
    gaps_ns: NDArray[np.int64]
    gap_ends: NDArray[np.int64]
    texts: tuple[Mapping[str, Any], ...] = ()
    models: tuple[str, ...] = ()

    def as_bytes(self) -> bytes:
        """Return the arrays, and the texts, as the content of an `.npz`."""
        file = io.BytesIO()
        texts: dict[str, Any] = {
            name: np.frombuffer(json.dumps(getattr(self, name)).encode(), dtype=np.uint8) for name in TEXTS
        }
        np.savez_compressed(file, **texts, **{name: getattr(self, name) for name in ARRAYS})
        return file.getvalue()


TEXTS = ("texts", "models")
MOST_MODELS = 20
ARRAYS = tuple(field.name for field in dataclasses.fields(ChatSamples) if field.name not in TEXTS)
PER_REQUEST = tuple(name for name in ARRAYS if name not in ("gaps_ns", "gap_ends"))


def read_chat_samples(file: IO[bytes]) -> ChatSamples:
    """Read samples written by `ChatSamples.as_bytes` in a process of the generator."""
    with np.load(file, allow_pickle=False) as arrays:
        texts: dict[str, Any] = {name: tuple(json.loads(arrays[name].tobytes())) for name in TEXTS}
        return ChatSamples(**{name: arrays[name] for name in ARRAYS}, **texts)


def is_blank(text: str) -> bool:
    """Return whether a part shows nothing to a reader: white space, or characters without width."""
    return bool(text) and not text.translate(INVISIBLE).strip()


def chat_file(samples: Path) -> Path:
    """Return the file of the chat samples of a process, beside that of its samples."""
    return samples.with_suffix(".chat.npz")


def samples_of(engine: "ChatEngine", *, start_ns: int) -> ChatSamples:
    """Return what an engine kept of its requests, in the order of their numbers."""
    requests = engine.requests
    streams = [engine.answers.get(request) or AnswerStream() for request in range(requests)]
    usages = [stream.usage or dict.fromkeys(COUNTS, UNKNOWN) for stream in streams]
    gaps = [_gaps(np.array(stream.chunk_ns, dtype=np.int64)) for stream in streams]
    return ChatSamples(
        prompt=_whole(engine.prompt_of(request) for request in range(requests)),
        **{name: _since(streams, name, start_ns) for name in MOMENTS},
        **{name: _whole(usage[name] for usage in usages) for name in COUNTS},
        first_tokens=_whole(stream.first_tokens for stream in streams),
        finish=_whole(stream.finish for stream in streams),
        is_refused=np.array([bool(stream.refusal) for stream in streams], dtype=np.bool_),
        is_blank_first=np.array([is_blank(stream.first_text) for stream in streams], dtype=np.bool_),
        chunks=_whole(stream.chunks for stream in streams),
        coalesced=_whole(stream.coalesced for stream in streams),
        largest_gap_ns=_whole(stream.largest_gap_ns for stream in streams),
        gaps_ns=_joined(gaps),
        gap_ends=_ends(gaps),
        texts=tuple(map(text_of, streams)) if engine.keeps_text else (),
        models=_models(stream.fingerprints for stream in streams),
    )


def _whole(values: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(values, dtype=np.int64)


def _since(streams: Sequence[AnswerStream], name: str, start_ns: int) -> NDArray[np.int64]:
    times = _whole(getattr(stream, name) for stream in streams)
    return np.where(times == NEVER, NEVER, times - start_ns)


def merge_chat_samples(parts: Sequence[ChatSamples], order: NDArray[np.int64]) -> ChatSamples:
    """Merge the parts of one test; `order` has the places of the requests of all parts in order of the schedule."""
    whole = {name: np.concatenate([getattr(part, name) for part in parts])[order] for name in PER_REQUEST}
    gaps = [gap for part in parts for gap in np.split(part.gaps_ns, part.gap_ends)[: len(part.gap_ends)]]
    ordered, texts = [gaps[place] for place in order], [text for part in parts for text in part.texts]
    kept = tuple(texts[place] for place in order) if texts else ()
    return ChatSamples(
        **whole,
        gaps_ns=_joined(ordered),
        gap_ends=_ends(ordered),
        texts=kept,
        models=_models(part.models for part in parts),
    )


def _models(named: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({hide_known(name) for names in named for name in names})[:MOST_MODELS])


def _gaps(times: NDArray[np.int64]) -> NDArray[np.int64]:
    return times[1:] - times[:-1]


def _joined(gaps: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(0, dtype=np.int64), *gaps])


def _ends(gaps: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.cumsum([len(gap) for gap in gaps], dtype=np.int64)


def text_of(stream: AnswerStream) -> dict[str, Any]:
    """Return what an answer said: text, reasoning, refusal, calls of tools, and its first part.

    A server may repeat the key that it was sent; known secrets are hidden.
    """
    return {
        "text": hide_known("".join(stream.text)),
        "reasoning": hide_known("".join(stream.reasoning)),
        "refusal": hide_known("".join(stream.refusal)),
        "tool_calls": [{key: hide_known(text) for key, text in call.items()} for call in stream.tool_calls()],
        "first": hide_known(stream.first_text),
    }
