"""Pseudonyms: the same text and key give the same name, and nobody without the key can tell whose it is."""

from hashlib import blake2b

HEX_DIGITS = 20
"""80 bits: among a thousand million texts, two meet by chance about once in two million keys."""


def pseudonym(key: bytes, text: str) -> str:
    """The keyed BLAKE2b of a text as 20 hex digits; "" stays "".

    Args:
        key: 1 to 64 secret bytes. Whoever destroys it makes every pseudonym under it anonymous.
        text: anything, lone surrogates included.

    Raises:
        ValueError: the key is empty (anybody could then redo the hash) or longer than 64 bytes.
    """
    if not key:
        raise ValueError("the pseudonym key is empty; give 16 to 64 secret bytes")
    if not text:
        return ""
    return blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=HEX_DIGITS // 2).hexdigest()
