"""What must not get through, what must, one value at a time."""

import pytest

from privacy import scrub, scrub_batch

JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789"
CHROME = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Mobile Safari/537.36"
)


@pytest.mark.parametrize(
    ("kind", "text", "scrubbed"),
    [
        ("message", "user jane.doe@example.com not found", "user {email} not found"),
        ("path", "/u/jane%2Bios%40example.com/avatar.png", "/u/{email}/avatar.png"),
        ("path", "/u/jane%2540example.com/orders", "/u/{email}/orders"),
        ("message", "jane&#64;example.com jane\\u0040example.com jane＠example.com", "{email} {email} {email}"),
        ("message", "ümläut@münchen.de", "{email}"),
        ("url", "https://spa.example/#/settings/jane@example.com", "https://spa.example/#/settings/{email}"),
        ("message", f"token {JWT} rejected", "token {token} rejected"),
        ("message", "Authorization: Bearer abcDEF123456", "Authorization: Bearer {token}"),
        ("message", f"put failed for {AWS}, {GITHUB}", "put failed for {token}, {token}"),
        ("path", "/reset/dGhpcyBpcyBhIHRva2VuIHRoYXQ", "/reset/{token}"),
        ("path", "/invite/Zx9Kq2Lm7Pw4Rt8Vb3Nc6Jd1/accept", "/invite/{token}/accept"),
        ("message", "peer 203.0.113.9 gone", "peer {ip} gone"),
        ("message", "connect api.example.com/93.184.216.34 (port 443)", "connect api.example.com/{ip} (port 443)"),
        ("message", "connect /10.0.2.2:80", "connect /{ip}:80"),
        ("url", "http://10.0.0.5:8080/health", "http://{ip}:8080/health"),
        ("url", "https://[2001:db8::1]:8080/a", "https://[{ip}]:8080/a"),
        ("message", "from ::ffff:203.0.113.9, 2001:db8:0:0:0:0:0:1:8080", "from {ip}, {ip}"),
        ("message", "地址203.0.113.9", "地址{ip}"),
        ("message", "node ip-10-1-2-3.ec2.internal", "node ip-{ip}.ec2.internal"),
        ("message", f"sent as {CHROME} today", "sent as {user_agent} today"),
        ("user_agent", "AcmeBot/2.1 (+mailto:bot@example.com)", "AcmeBot/2.1 (+mailto:{email})"),
        ("message", "paid with 4111 1111 1111 1111", "paid with {card}"),
        ("message", "mandate for DE89 3704 0044 0532 0130 00 missing", "mandate for {iban} missing"),
        ("message", "call +49 171 3920093 or (555) 123-4567", "call {phone} or {phone}"),
        ("message", "SSN 505-07-2002 mismatch", "SSN {national_id} mismatch"),
        ("message", "device 2B:94:BA:AD:F0:44 offline", "device {device} offline"),
        ("message", '  File "/home/jdoe/app/worker.py", line 54', '  File "/home/{user}/app/worker.py", line 54'),
        ("message", "C:\\Users\\jdoe\\AppData\\x.db", "C:\\Users\\{user}\\AppData\\x.db"),
        ("url", "file:///Users/jdoe/index.html", "file:///Users/{user}/index.html"),
    ],
)  # fmt: skip
def test_personal_data_is_replaced_by_its_mark_and_the_rest_stays(kind: str, text: str, scrubbed: str) -> None:
    assert scrub(kind, "", text) == scrubbed


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ('{"password":"hunter2","step":3}', '{"password":"{password}","step":3}'),
        ('{\\"password\\":\\"hunter2\\"}', '{\\"password\\":\\"{password}\\"}'),
        ('"password" => "hunter two"', '"password" => "{password}"'),
        ("login failed pwd=Orbit-02077 [retry]", "login failed pwd={password} [retry]"),
        ("passwd: Mango-440kP", "passwd: {password}"),
        ('{"firstName":"Xiomara","tier":"gold"}', '{"firstName":"{name}","tier":"gold"}'),
        ('{"ssn":830869503,"ok":true}', '{"ssn":{national_id},"ok":true}'),
        ("level=warn token=d10cea627c0ea894c8e0 dur_ms=5", "level=warn token={token} dur_ms=5"),
    ],
)
def test_a_value_goes_when_the_name_beside_it_tells(text: str, scrubbed: str) -> None:
    assert scrub("message", "", text) == scrubbed


@pytest.mark.parametrize(
    ("kind", "key", "scrubbed"),
    [
        ("header", "Authorization", "{token}"),
        ("header", "Cookie", "{cookie}"),
        ("header", "X-Amz-Security-Token", "{token}"),
        ("header", "X-Forwarded-For", "{ip}"),
        ("header", "User-Agent", "{user_agent}"),
        ("attribute", "user_agent.original", "{user_agent}"),
        ("attribute", "customer.socialSecurityNumber", "{national_id}"),
        ("attribute", "http.request.header.x-api-key", "{token}"),
        ("attribute", "contact.last_name", "{name}"),
        ("attribute", "session.id", "{session}"),
        ("attribute", "useremail", "{email}"),
    ],
)
def test_a_field_whose_name_tells_is_replaced_whole(kind: str, key: str, scrubbed: str) -> None:
    assert scrub(kind, key, "anything at all") == scrubbed


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        ("attribute", "app.version", "1.2.3.4"),
        ("message", "", "app v1.2.3.4, version 10.2.3.4 and Chrome/126.0.0.0"),
        ("message", "", "built 10.2.3.4-beta, started 12:30:45, at ::1 and 127.0.0.1"),
        ("url", "", "https://static.example.com/_next/static/runtime.b6efb5d78264767e3ac2.js"),
        ("url", "", "https://a.example/_next/static/AbC1dEf2GhI3jKl4MnO5p/_buildManifest.js"),
        ("header", "traceparent", "00-3412da0c782fd5507a1f5376810a8bf6-1c63aa89b3789371-01"),
        ("header", "ETag", '"a547354972b33f9655bfb0323e2de4da"'),
        ("header", "Server-Timing", "edge;dur=82.991"),
        ("header", "Sec-CH-UA-Mobile", "?1"),
        ("attribute", "trace.parent", "de7e09d25352fbf5c24fef215f2dd6ac"),
        ("path", "", "/documents/822d003c-4760-4a6d-8539-559b3881ccf7/members"),
        ("path", "", "/orders/{id}/items"),
        ("message", "", "GET /checkout"),
        ("message", "", "GET /home/deals"),
        ("attribute", "http.route", "/home/deals"),
        ("message", "", "price 9660.50 EUR qty 13 total 67968.10 on 2024-01-15T00:00:00+0100"),
        ("message", "", "shipment 5196769268028122 not found, sku DE30ZMZDGXLL3FIVIVL reserved"),
        ("message", "", "User authenticated. Missing Token: check header. loadClientAuthorization()"),
        ("message", "", "logo@2x.png react@18.2.0 std::vector dead::beef"),
        ("message", "", "AbstractHttp2ConnectionHandlerFactoryImpl com.example.Main$Inner.onCreate"),
        ("attribute", "gen_ai.usage.input_tokens", "2323325895"),
        ("attribute", "screen.name", "user_profiles-v2"),
        ("attribute", "device.model.name", "Pixel 8"),
        ("attribute", "event.name", "session:start"),
        ("sql", "", "UPDATE sessions SET last_seen = now() WHERE token = ? AND u.email = o.email AND id = $1"),
    ],
)
def test_what_is_nobodys_stays_as_it_is(kind: str, key: str, text: str) -> None:
    assert scrub(kind, key, text) is text


def test_a_private_key_goes_with_its_body_even_without_its_last_line() -> None:
    begin, end = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
    assert scrub("message", "", f"read {begin}\nMIIEab\n{end} ok") == "read {token} ok"
    assert scrub("message", "", f"read {begin}\nMIIEab\nMIIEcd") == "read {token}"


def test_a_text_too_long_to_examine_is_not_passed_on() -> None:
    longest = "a " * 8192
    assert scrub("message", "", longest) is longest
    scrubbed = scrub_batch(["message", "message"], ["", ""], [longest + "a", "fine"])
    assert scrubbed.texts == ["{unexamined}", "fine"]
    assert scrubbed.hits == {"unexamined": 1}


def test_a_failure_costs_the_text_that_caused_it_and_no_other() -> None:
    scrubbed = scrub_batch(["message"] * 3, [""] * 3, ["fine", 7, "a@b.example"])  # type: ignore[list-item]
    assert scrubbed.texts == ["fine", "{unexamined}", "{email}"]
    assert scrubbed.hits == {"unexamined": 1, "email": 1}


def test_a_nul_cannot_hide_an_address() -> None:
    assert scrub("message", "", "jane\0@exam\0ple.com") == "{email}"


def test_none_is_taken_for_nothing() -> None:
    assert scrub("message", None, None) == ""
