"""Headers keep the protocol's part of their values and lose the person's."""

import pytest

from privacy import scrub


@pytest.mark.parametrize(
    ("name", "value", "scrubbed"),
    [
        ("Authorization", "Bearer abc.def", "Bearer {token}"),
        ("authorization", "opaque", "{token}"),
        ("Proxy-Authorization", "Basic amFuZTpwdw==", "Basic {token}"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=A/2024, Signature=b", "AWS4-HMAC-SHA256 {token}"),
        ("Cookie", "sid=31d4; csrftoken=u3; lang=de", "sid={cookie}; csrftoken={cookie}; lang=de"),
        ("Cookie", "opaque", "{cookie}"),
        (
            "Set-Cookie",
            "sid=31d4; Max-Age=3600; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; SameSite=Lax",
            "sid={cookie}; Max-Age=3600; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly; SameSite=Lax",
        ),
        ("Set-Cookie", "a=b1; Path=/, c=d1", "a={cookie}; Path={cookie}"),
        ("X-Forwarded-For", "203.0.113.9, 70.41.3.18, unknown", "{ip}, {ip}, unknown"),
        ("Forwarded", "for=192.0.2.60;proto=https;by=\"[2001:db8::1]:80\"", "for={ip};proto=https;by={ip}"),
        ("Referer", "https://a.example/reset?token=x1&lang=de", "https://a.example/reset?token={token}&lang=de"),
        ("Link", '</p?email=x&page=2>; rel="next"', '</p?email={email}&page=2>; rel="next"'),
        ("X-Api-Key", "abc", "{token}"),
        ("X-Remote-User", "CORP\\jdoe", "{user}"),
        ("CF-IPLatitude", "48.85661", "{geo}"),
        ("cf-iplatitude", "48.85661", "{geo}"),
        ("baggage", "userId=alice,release=1.2.3", "userId={user},release=1.2.3"),
        ("X-Forwarded-Client-Cert", 'By=spiffe://a;Subject="CN=Jane"', "{token}"),
        ("User-Agent", "okhttp/4.12.0", "{user_agent}"),
    ],
)  # fmt: skip
def test_what_is_somebodys_goes_and_the_rest_stays_readable(name: str, value: str, scrubbed: str) -> None:
    assert scrub("header", name, value) == scrubbed
    assert scrub("header", name, scrubbed) == scrubbed
    assert scrub("attribute", f"http.request.header.{name.lower()}", value) == scrubbed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Vary", "Accept-Encoding, Authorization, Cookie"),
        ("Access-Control-Allow-Headers", "Authorization, X-CSRF-Token"),
        ("Access-Control-Allow-Credentials", "true"),
        ("WWW-Authenticate", 'Bearer realm="api", error="invalid_token"'),
        ("Server-Timing", "db;dur=53, app;dur=47.2"),
        ("ETag", 'W/"aB3dE5fG7hJ9kL1mN3pQ5rS7"'),
        ("If-None-Match", '"aB3dE5fG7hJ9kL1mN3pQ5rS7"'),
        ("X-Request-Id", "aB3dE5fG7hJ9kL1mN3pQ5rS7"),
        ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"),
        ("Content-Disposition", 'attachment; filename="report.pdf"'),
        ("Sec-CH-UA", '"Chromium";v="126", "Not A Brand";v="24"'),
        ("Set-Cookie", "theme=dark; Path=/; Max-Age=3600; SameSite=Lax; Secure"),
        ("Content-Security-Policy", "default-src 'self'; script-src 'nonce-aB3dE5fG7hJ9kL1mN3pQ5rS7'"),
        ("Cookie", ""),
        ("Cookie", "{cookie:0123456789abcdef0123}"),
    ],
)
def test_what_is_the_protocols_stays(name: str, value: str) -> None:
    assert scrub("header", name, value) is value


def test_an_attribute_may_hold_a_header_as_a_list() -> None:
    assert scrub("attribute", "http.request.header.cookie", '["sid=31d4; lang=de"]') == '["sid={cookie}; lang=de"]'
