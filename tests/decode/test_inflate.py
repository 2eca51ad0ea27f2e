"""Inflation: every encoding, found by name or by first bytes, never more than the limit."""

import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from client_sdk_spec.encoder import compress
from ingest.decode.inflate import DICTIONARY, inflate
from ingest.errors import Malformed, Refusal, TooLarge, UnsupportedType

LIMIT = 1 << 20


def streamed_zstd(plain: bytes, window_log: int = 20) -> bytes:
    """A frame that does not say how much it holds, as streaming encoders make it."""
    parameters = zstandard.ZstdCompressionParameters.from_level(3, write_content_size=False, window_log=window_log)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return compressor.compress(plain) + compressor.flush()


COMPRESSORS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "gzip members": ("gzip", lambda plain: gzip.compress(plain[:3]) + gzip.compress(plain[3:])),
    "zstd": ("zstd", zstandard.ZstdCompressor().compress),
    "zstd streamed": ("zstd", streamed_zstd),
    "zstd frames": ("zstd", lambda plain: streamed_zstd(plain[:3]) + zstandard.ZstdCompressor().compress(plain[3:])),
    "zlib": ("deflate", zlib.compress),
    "zlib with the preset dictionary": ("deflate", lambda plain: compress(plain, "deflate")),
    "nothing": ("identity", bytes),
}


@pytest.mark.parametrize("name", COMPRESSORS)
@given(plain=st.binary(max_size=2_000))
def test_what_was_compressed_comes_back(name: str, plain: bytes) -> None:
    encoding, compressor = COMPRESSORS[name]
    assert inflate(compressor(plain), encoding, LIMIT) == plain
    assert inflate(compressor(plain), f" {encoding.upper()} ", LIMIT) == plain


@pytest.mark.parametrize("encoding", [None, ""])
@pytest.mark.parametrize("compression", ["gzip", "zstd", "deflate", "identity"])
def test_a_body_without_a_named_encoding_is_known_by_its_first_bytes(encoding: str | None, compression: str) -> None:
    body = b'{"v":1}'
    assert inflate(compress(body, compression), encoding, LIMIT) == body


def test_zlib_without_a_dictionary_is_found_only_by_name() -> None:
    deflated = zlib.compress(b"x" * 100)
    assert inflate(deflated, None, LIMIT) == deflated


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_body_of_the_limit_passes_and_one_byte_more_is_refused(name: str) -> None:
    encoding, compressor = COMPRESSORS[name]
    assert len(inflate(compressor(bytes(LIMIT)), encoding, LIMIT)) == LIMIT
    with pytest.raises(TooLarge, match="larger than 1048576 bytes") as refused:
        inflate(compressor(bytes(LIMIT + 1)), encoding, LIMIT)
    assert refused.value.reason == "body_too_large"


@pytest.mark.parametrize("name", [name for name in COMPRESSORS if name != "nothing"])
def test_a_bomb_costs_no_more_memory_than_the_limit(name: str) -> None:
    encoding, compressor = COMPRESSORS[name]
    bomb = compressor(bytes(64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            inflate(bomb, encoding, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 4 * LIMIT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["gzip", "zstd", "zstd streamed", "zlib", "zlib with the preset dictionary"])
def test_a_body_that_was_cut_off_anywhere_is_refused(name: str) -> None:
    encoding, compressor = COMPRESSORS[name]
    whole = compressor(b"a sentence, and another sentence" * 9)
    for kept in range(len(whole)):
        with pytest.raises(Malformed) as refused:
            inflate(whole[:kept], encoding, LIMIT)
        assert refused.value.reason == f"bad_{encoding}"


@pytest.mark.parametrize("name", ["gzip members", "zstd frames"])
def test_a_second_member_that_was_cut_off_is_refused(name: str) -> None:
    encoding, compressor = COMPRESSORS[name]
    with pytest.raises(Malformed):
        inflate(compressor(b"a sentence, and another sentence")[:-1], encoding, LIMIT)


@pytest.mark.parametrize("name", [name for name in COMPRESSORS if name != "nothing"])
def test_anything_behind_the_end_is_refused(name: str) -> None:
    encoding, compressor = COMPRESSORS[name]
    with pytest.raises(Malformed) as refused:
        inflate(compressor(b"hello") + b"junk", encoding, LIMIT)
    assert refused.value.reason == f"bad_{encoding.removeprefix('x-')}"


def test_a_truncated_gzip_body_is_refused_with_its_offset() -> None:
    whole = gzip.compress(b"abc" * 100)
    with pytest.raises(Malformed) as refused:
        inflate(whole[:-8], "gzip", LIMIT)
    assert refused.value.offset == 300


def test_a_dictionary_that_is_not_known_is_refused_by_name() -> None:
    compressor = zlib.compressobj(zdict=b"somebody else's")
    body = compressor.compress(b"hello") + compressor.flush()
    for encoding in ("deflate", None):
        with pytest.raises(Malformed) as refused:
            inflate(body, encoding, LIMIT)
        assert refused.value.reason == "unknown_dictionary"


def test_a_zstd_frame_with_a_huge_window_is_refused() -> None:
    assert inflate(streamed_zstd(b"hello", window_log=23), "zstd", LIMIT) == b"hello"
    with pytest.raises(Malformed):
        inflate(streamed_zstd(b"hello", window_log=24), "zstd", LIMIT)


@pytest.mark.parametrize(("encoding", "member"), [("gzip", gzip.compress(b"", mtime=0)), ("zstd", streamed_zstd(b""))])
def test_thousands_of_empty_members_are_refused(encoding: str, member: bytes) -> None:
    with pytest.raises(Malformed, match="more than 64"):
        inflate(member * 20_000, encoding, LIMIT)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "<script>"])
def test_an_unknown_encoding_is_refused_without_quoting_it(encoding: str) -> None:
    with pytest.raises(UnsupportedType) as refused:
        inflate(b"", encoding, LIMIT)
    assert refused.value.reason == "unknown_encoding"
    assert encoding not in refused.value.message


@given(data=st.binary(max_size=300), encoding=st.sampled_from(["gzip", "zstd", "deflate", "identity", "", None]))
def test_arbitrary_bytes_are_inflated_or_refused(data: bytes, encoding: str | None) -> None:
    with contextlib.suppress(Refusal):
        assert len(inflate(data, encoding, 500)) <= 500


@given(at=st.integers(0, 60), flip=st.integers(1, 255), compression=st.sampled_from(["gzip", "zstd", "deflate"]))
def test_a_damaged_body_is_inflated_or_refused(at: int, flip: int, compression: str) -> None:
    body = bytearray(compress(b'{"v":1,"cols":{"name":[1,2,3]}}' * 3, compression))
    body[at % len(body)] ^= flip
    with contextlib.suppress(Refusal):
        inflate(bytes(body), compression, LIMIT)


def test_the_published_dictionary_never_changes() -> None:
    assert len(DICTIONARY) == 8192
    assert zlib.adler32(DICTIONARY) == 0xA221968D
