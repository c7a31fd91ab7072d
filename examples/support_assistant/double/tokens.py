"""The tokens of the double: its own simple rule, which loses nothing, and the cache of shared prefixes."""

import re
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

TOKEN = re.compile(r" ?[^\W\d_]{1,6}| ?\d{1,3}|.", re.DOTALL)
BEYOND_TWO_BYTES = "\uffff"
CACHED_BLOCKS = 65_536


def tokens_of(text: str) -> list[str]:
    """Return the tokens, which joined give the text.

    Up to six letters or three digits are one token. A character of four bytes, such as an emoji, is three: the first
    two carry no whole character, so that they are empty here and come in no chunk.
    """
    found: list[str] = TOKEN.findall(text)
    if text.isascii():
        return found
    return [part for token in found for part in (("", "", token) if token > BEYOND_TWO_BYTES else (token,))]


def token_ids(text: str) -> list[int]:
    """Return a number for each token, as `/tokenize` does."""
    return [zlib.crc32(token.encode("utf-8", "replace")) % 49_152 for token in tokens_of(text)]


def text_of(content: Any) -> str:
    """Return the text of a message's content: a text, or parts of which those of type `text` count."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping))


def prompt_of(messages: Iterable[Any]) -> str:
    """Return the prompt that a chat is turned into, as `/apply-template` does."""
    chat = (message for message in messages if isinstance(message, Mapping))
    turns = (f"<|{message.get('role', 'user')}|>\n{text_of(message.get('content'))}\n" for message in chat)
    return "".join(turns) + "<|assistant|>\n"


class PrefixCache:
    """Remembers the prefixes of prompts in whole blocks; the least recently used are forgotten first."""

    def __init__(self, block: int, *, capacity: int = CACHED_BLOCKS) -> None:
        self._block, self._capacity = block, capacity
        self._known: OrderedDict[int, None] = OrderedDict()

    def cached_tokens(self, tokens: Sequence[str]) -> int:
        """Return how many tokens at the front were known, and remember the prompt. The last token never is."""
        if not self._block:
            return 0
        key, cached, is_known = 0, 0, True
        for end in range(self._block, len(tokens), self._block):
            key = hash((key, *tokens[end - self._block : end]))
            is_known = is_known and key in self._known
            cached = end if is_known else cached
            self._known[key] = None
            self._known.move_to_end(key)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return cached
