"""Checks of a GGUF's vocabulary: lists of equal length, ids inside it, no token twice."""

from array import array

from medlora_edge.models.gguf_header import GgufHeader

TOKENS = "tokenizer.ggml.tokens"
PER_TOKEN = ("tokenizer.ggml.scores", "tokenizer.ggml.token_type")


def check_vocabulary(header: GgufHeader) -> None:
    """Raise CorruptError when the token lists do not agree with each other."""
    tokens = header.strings(TOKENS)
    if not tokens:
        raise header.corrupt("the vocabulary is empty", where=f"key {TOKENS!r}")
    for key in PER_TOKEN:
        _check_length(header, key, len(tokens))
    header.strings("tokenizer.ggml.merges")
    _check_ids(header, len(tokens))
    _check_bytes(header, _texts(header))


def _check_length(header: GgufHeader, key: str, count: int) -> None:
    value = header.values.get(key)
    if value is None:
        return
    if not isinstance(value, array) or len(value) != count:
        raise header.corrupt(
            f"a list that must have one number for each of {count} tokens has not", where=f"key {key!r}"
        )


def _check_ids(header: GgufHeader, count: int) -> None:
    for key in header.values:
        if not (key.startswith("tokenizer.ggml.") and key.endswith("_token_id")):
            continue
        token = header.integer(key)
        if not 0 <= token < count:
            raise header.corrupt(f"token {token} is outside the vocabulary of {count}", where=f"key {key!r}")


def _texts(header: GgufHeader) -> set[bytes]:
    """The tokens as llama.cpp reads them: up to the first NUL, empty ones with a name. It aborts on equal ones."""
    seen: set[bytes] = set()
    for index, raw in enumerate(header.strings(TOKENS) or ()):
        token = raw.split(b"\0", 1)[0] or b"[EMPTY_%d]" % index
        if token in seen:
            raise header.corrupt(f"token {index} is there twice", where=f"key {TOKENS!r}")
        seen.add(token)
    return seen


def _check_bytes(header: GgufHeader, texts: set[bytes]) -> None:
    """A SentencePiece vocabulary spells unknown characters in bytes; llama.cpp aborts at one that it lacks."""
    if header.text("tokenizer.ggml.model") != "llama":
        return
    for byte in range(256):
        if b"<0x%02X>" % byte not in texts and bytes((byte,)) not in texts:
            raise header.corrupt(f"the vocabulary lacks a token for byte {byte}", where=f"key {TOKENS!r}")
