"""Labelled texts as clients send them: a packed development corpus, and a generator of as many others as are wanted.

The generator exists so that nobody fits the scrubber to lines: `families/*.txt` hold templates of what the stacks in
the field send, each render draws other people, numbers, keys and encodings, and a second seed is kept for releases.
Templates are written from what clients send, not from what the scrubber finds. All values are invented; keys that look
alive exist only while a test runs.

A template is plain text with four brackets:

    «value|encoding|…»     a personal value: labelled, must go
    ⟨value⟩                filler: may stay or go
    ‹ … ›                  must survive, verbatim; may hold fillers
    ⟦encoding|…: … ⟧       all that it holds, encoded; may hold values, fillers and brackets of its own kind

A template without «» and ‹› must survive whole. `⏎` is a line feed, `⇥` a tab. `value:argument` passes an argument.
Personal values are named in `personal`, the others in `fillers`, encodings in `encodings`; `matrix` adds every class in
every encoding.

What is labelled follows one policy. Secrets and one-time tokens count as personal; so do private addresses, never
loopback. Ids in paths are neither labelled nor kept. Names in free prose, cities and postcodes alone, opaque user ids
and the products of a User-Agent are not labelled, nor is anything kept that a careful reader could take for a secret.
"""

from pathlib import Path

from tests.privacy.corpus.generator import generate

__all__ = ["DEVELOPMENT", "SEED", "generate"]

DEVELOPMENT = Path(__file__).with_name("development.jsonl.gz")
"""Packed, because its values look like live keys."""
SEED = 20251122
"""The seed of every test run; releases are scored with another."""
