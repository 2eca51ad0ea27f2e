"""URLs lose who signs in and what their names or values tell to be somebody's; what else is asked for stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import scrub
from privacy.names import URL_GATE
from privacy.urls import strip_url
from tests.privacy.texts import urls

UUID = "822d003c-4760-4a6d-8539-559b3881ccf7"


@pytest.mark.parametrize(
    ("url", "scrubbed"),
    [
        ("https://jane:pw@shop.example/a", "https://{userinfo}@shop.example/a"),
        ("https://jane:p%40w@shop.example", "https://{userinfo}@shop.example"),
        ("jdbc:mysql://root:pw@db:3306/shop", "jdbc:mysql://{userinfo}@db:3306/shop"),
        ("/s?email=a&id_token=b&page=2", "/s?email={email}&id_token={token}&page=2"),
        ("/s?to=jane%2540example.com&empty=&b=c", "/s?to={email}&empty=&b=c"),
        ("/s?jane@example.com=1", "/s?{email}=1"),
        ("/s?user%5Bemail%5D=x&a[0]=y", "/s?user%5Bemail%5D={email}&a[0]=y"),
        ("/s?name=Jane+Doe&q=shoes", "/s?name={name}&q=shoes"),
        ("/s?ll=48.85661,2.35222&z=12", "/s?ll={geo}&z=12"),
        ("/s?a=1;token=hunter2x9abc", "/s?a=1;token={token}"),
        ("/a#access_token=x&tab=y", "/a#access_token={token}&tab=y"),
        ("/a#/users/1?pwd=x", "/a#/users/1?pwd={password}"),
        ("/a;jsessionid=12AB34CD/b;v", "/a;jsessionid={session}/b;v"),
        ("/x/token=hunter2x9abcdef12/y", "/x/token={token}/y"),
        ("/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=af0ifjsldkj", "/cb?code={token}&state={token}"),
        ("/f?hash=" + 8 * "0a1b2c3d" + "&exp=1762251697", "/f?hash={token}&exp=1762251697"),
        ("/go?u=https://h.example/x?phone=%2B31612345678&src=push", "/go?u=https://h.example/x?phone={phone}&src=push"),
        ("/go?u=https%3A%2F%2Fh%2F%3Ftoken%3Dabc123%26p%3D2", "/go?u=https%3A%2F%2Fh%2F%3Ftoken%3D{token}%26p%3D2"),
        ("/proxy/https%3A%2F%2Fx%3Femail%3Dfoo/b", "/proxy/https%3A%2F%2Fx%3Femail%3D{email}/b"),
        ("mailto:jane@example.com?subject=hi", "mailto:{email}?subject=hi"),
        ("tel:+4917139", "tel:{phone}"),
        ("data:text/plain,jane", "data:text/plain,{value}"),
        ("whatsapp://send?phone=4917139201", "whatsapp://send?phone={phone}"),
        ("/reset/8d1f0b7c4e2a49d6b3c5", "/reset/{token}"),
    ],
)  # fmt: skip
def test_what_is_somebodys_goes_and_names_stay(url: str, scrubbed: str) -> None:
    assert scrub("url", "", url) == scrubbed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "https://shop.example/a/b",
        "https://shop.example:8443",
        "/search?q=red%20dress&page=2&sort=price&order=desc&limit=50",
        "/a?utm_source=newsletter&utm_medium=email&utm_campaign=spring-24",
        "/a?v=3.1.4&cb=1718234039123&lang=en-GB&size=xl&price=19.99&from=2024-05-01&to=2024-05-31",
        "/a?at=2024-05-01T10%3A15%3A00Z&sku=DE30ZMZDGXLL3FIVIVL&order=5196769268028122",
        f"/a?id={UUID}&trace_id=3412da0c782fd5507a1f5376810a8bf6",
        "/a?state=open&code=404&response_type=code&scope=openid%20email",
        "/a?state=open&code=SPRING25",
        "/a?phone_verified=1&tokens_used=582&auth_type=oauth2&session_count=10&passport_required=true",
        "https://cdn.example/app.8f3a9c1d2b4e.js?v=b6efb5d78264767e3ac2",
        "/a#section-2",
        "/a?shoes",
        "/home/deals",
    ],
)
def test_a_url_that_tells_nothing_of_anybody_stays_the_same_object(url: str) -> None:
    assert scrub("url", "", url) is url


@given(urls)
def test_a_url_that_shows_no_sign_has_nothing_that_its_structure_would_condemn(url: str) -> None:
    line = url.replace("\0", "").encode("utf-8", "surrogatepass")
    if not URL_GATE.search(line):
        assert strip_url(url) == url


SECRETS = st.text("abcdefghijkmnopqrstuvwxyz23456789!$*", min_size=6, max_size=30).map(lambda text: text + "7q")
NAMES = st.sampled_from(
    ["password", "access_token", "clientSecret", "X-Amz-Signature", "api_key", "session_token", "pwd"]
)


@given(NAMES, SECRETS, st.sampled_from("?#&"), st.booleans())
def test_no_value_of_a_telling_parameter_gets_through(name: str, secret: str, sign: str, embedded: bool) -> None:
    url = f"https://shop.example/a?x=1{sign}{name}={secret}"
    scrubbed = scrub("message", "", f"GET {url} failed") if embedded else scrub("url", "", url)
    assert secret not in scrubbed
    assert f"{sign}{name}=" in scrubbed


@pytest.mark.parametrize(
    ("kind", "key", "text", "scrubbed"),
    [
        ("message", "", "GET https://a:b@h.example/x?pw=1x !", "GET https://{userinfo}@h.example/x?pw={password} !"),
        ("message", "", "see (https://h.example/p?token=x1).", "see (https://h.example/p?token={token})."),
        ("message", "", 'src="https://h.example/p?token=x1" alt', 'src="https://h.example/p?token={token}" alt'),
        ("message", "", "posted ?q=shoes&pwd=x1", "posted ?q=shoes&pwd={password}"),
        ("header", "Referer", "https://h.example/?email=x", "https://h.example/?email={email}"),
        ("attribute", "http.target", "/p?email=x", "/p?email={email}"),
        ("attribute", "url.query", "q=shoes&email=x", "q=shoes&email={email}"),
        ("path", "", "/p?email=x", "/p?email={email}"),
    ],
)  # fmt: skip
def test_urls_are_found_wherever_they_stand(kind: str, key: str, text: str, scrubbed: str) -> None:
    assert scrub(kind, key, text) == scrubbed


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        (
            "jdbc:sqlserver://sql1:1433;databaseName=crm;user=jdoe;password=x1",
            "jdbc:sqlserver://sql1:1433;databaseName=crm;user={user};password={password}",
        ),
        (f"https://cdn.example/a.png?ex=6740&hm={'5d' * 32}", "https://cdn.example/a.png?ex=6740&hm={token}"),
    ],
)
def test_a_url_of_another_dialect_loses_its_secrets_and_keeps_its_host(text: str, scrubbed: str) -> None:
    assert scrub("url", "", text) == scrubbed


@pytest.mark.parametrize(
    "text", ["connect ECONNREFUSED ::1:5432", "failed to refresh access_token: 503 from the provider"]
)
def test_the_machine_itself_and_a_status_are_nobodys(text: str) -> None:
    assert scrub("message", "", text) is text
