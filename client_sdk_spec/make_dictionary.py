"""Makes the preset dictionary of the native format from synthetic traffic: `python -m client_sdk_spec.make_dictionary`.

Version 1 is published: clients hold its bytes, and its Adler-32 stands in every body deflated with it. A better one is
a new version in a new file; the old one stays for as long as clients send it.

The method is that of zstd's COVER trainer (Liao, Petri, Moffat, Wirth: Effective Construction of Relative Lempel-Ziv
Dictionaries, WWW 2016): the corpus is cut into as many epochs as the dictionary has room for segments, and of each
epoch goes in the segment whose substrings, not yet covered, occur in most bodies. Common ones stand at the end, nearest
to the data, where a deflate distance costs least.
"""

import argparse
from collections import Counter
from pathlib import Path
from random import Random

from client_sdk_spec.encoder import DICTIONARY, encode
from client_sdk_spec.samples import batch

SIZE = 8192
SEGMENT = 48
GRAM = 6
SEED = 1


def corpus() -> list[bytes]:
    """Bodies of every size and both encodings, MessagePack more often: it is what deflates with a dictionary."""
    random = Random(SEED)
    return [
        encode(batch(random, random.choice((3, 8, 20))), random.choice(("msgpack", "msgpack", "json")))
        for _ in range(400)
    ]


def train(bodies: list[bytes], size: int = SIZE) -> bytes:
    """A dictionary of `size` bytes."""
    weight: Counter[bytes] = Counter()
    for body in bodies:
        weight.update({body[at : at + GRAM] for at in range(len(body) - GRAM + 1)})
    weight = Counter({gram: bodies_with for gram, bodies_with in weight.items() if bodies_with > 1})
    text = b"".join(bodies)
    epochs = size // SEGMENT + 1
    length = len(text) // epochs
    segments: list[tuple[int, bytes]] = []
    for epoch in range(epochs):
        score, segment = _best_segment(text[epoch * length : (epoch + 1) * length], weight)
        segments.append((score, segment))
        for at in range(len(segment) - GRAM + 1):
            weight.pop(segment[at : at + GRAM], None)
    return b"".join(segment for _, segment in sorted(segments))[-size:]


def _best_segment(epoch: bytes, weight: Counter[bytes]) -> tuple[int, bytes]:
    """The segment with the greatest weight of distinct substrings."""
    grams = [epoch[at : at + GRAM] for at in range(len(epoch) - GRAM + 1)]
    window = SEGMENT - GRAM + 1
    inside: Counter[bytes] = Counter()
    score, best = 0, (0, epoch[:SEGMENT])
    for at, gram in enumerate(grams):
        inside[gram] += 1
        if inside[gram] == 1:
            score += weight[gram]
        if at >= window:
            leaving = grams[at - window]
            inside[leaving] -= 1
            if not inside[leaving]:
                score -= weight[leaving]
        if at >= window - 1 and score > best[0]:
            best = score, epoch[at - window + 1 : at + GRAM]
    return best


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the preset dictionary.")
    parser.add_argument("path", type=Path, nargs="?", default=DICTIONARY)
    parser.parse_args().path.write_bytes(train(corpus()))
