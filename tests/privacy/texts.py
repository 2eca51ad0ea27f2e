"""Strategies for texts as clients send them: words, addresses, numbers, encodings and marks, glued at random."""

from hypothesis import strategies as st

KINDS = ("url", "header", "attribute", "message", "path", "sql", "user_agent", "no such kind")
KEYS = (
    "",
    "url.full",
    "app.version",
    "screen.name",
    "X-Api-Key",
    "Cookie",
    "Referer",
    "url.query",
    "db.statement",
    "user",
)

PIECES = (
    "https://", "shop.example", "/a/b", "/home/", "/Users/", "C:\\Users\\", "?", "&", "=", "#", ";", ":", "//", "@",
    "%40", "%2540", "%3F", "%20", " ", "\n", "\t", '"', "'", "\\", "(", ")", "{", "}", "[", "]", ",", ".", "-", "_",
    "jane", "doe", "example.com", "10.0.0.1", "8.8.8.8", "2001:db8::1", "::1", "1.2.3.4", "v", "version ", "eyJhbGci",
    "Bearer ", "token", "password", "user", "session", "email", "ssn", "SSN ", "078-05-1120", "4111 1111 1111 1111",
    "4111111111111111", "+49 171 3920093", "DE89370400440532013000", "aa:bb:cc:dd:ee:ff", "Mozilla/5.0 (X11)", "null",
    "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "{email}", "{value}", "{token}", "{id}", "SELECT", "--",
    "/*", "$$", "ü", "地址", "\ud800", "\0", "data:", "mailto:", "ZW1haWw9YUBiLmNvbQ==", "Zx9Kq2Lm7Pw4Rt8Vb3Nc6Jd1",
)  # fmt: skip

URL_PIECES = (
    "https://", "http://", "/", "shop.example", "?", "&", "=", "#", ";", "a", "page", "q", "email", "userIP",
    "x-api-key", "state", "code", "hash", "exp", "shoes", "Jane Doe", "Jane+Doe", "%20", "%40", "1", "42", "@", ":",
    "48.8566,2.3522", "token", "sid", ".", "-", "_", "[", "]",
    "\u00fc", "{email}", "clientId", "ship", "name", "0a1b2c3d4e5f6a7b8c9d",
)  # fmt: skip
urls = st.lists(st.sampled_from(URL_PIECES), max_size=14).map(lambda pieces: "/" + "".join(pieces))
glued = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=14).map("".join)
rows = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(KEYS), glued), max_size=12)
