"""URLs lose who signs in and what is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import scrub
from privacy.marks import MARKS


@pytest.mark.parametrize(
    ("url", "scrubbed"),
    [
        ("https://jane:pw@shop.example/a", "https://shop.example/a"),
        ("https://jane:p%40w@shop.example", "https://shop.example"),
        ("https://jane:p#w@shop.example/a", "https://{value}#{email}"),
        ("jdbc:mysql://root:pw@db:3306/shop", "jdbc:mysql://db:3306/shop"),
        ("/search?q=shoes&page=2", "/search?q={value}&page={value}"),
        ("/search?shoes", "/search?{value}"),
        ("/s?email=a&id_token=b&t=eyJhbGciOiJub25lIn0", "/s?email={email}&id_token={token}&t={token}"),
        ("/s?to=jane%2540example.com&empty=&b=c?d=e", "/s?to={email}&empty=&b={value}"),
        ("/s?jane@example.com=1&12345678=2", "/s?{key}={value}&{key}={value}"),
        ("/s?filter%5Bname%5D=x&a[0]=y", "/s?filter%5Bname%5D={value}&a[0]={value}"),
        ("/a#access_token=x&state=y", "/a#access_token={token}&state={value}"),
        ("/a#/users/1?q=x", "/a#/users/1?q={value}"),
        ("/a#section-2", "/a#section-2"),
        ("/a;jsessionid=12AB/b;v", "/a;jsessionid={session}/b;{value}"),
        ("/proxy/https%3A%2F%2Fx%3Fq%3Dfoo/b", "/proxy/https%3A%2F%2Fx%3F{value}/b"),
        ("//cdn.example/x?y=z", "//cdn.example/x?y={value}"),
        ("mailto:jane@example.com?subject=hi", "mailto:{email}?subject={value}"),
        ("tel:+4917139", "tel:{phone}"),
        ("data:text/plain,jane", "data:{value}"),
        ("whatsapp://send?phone=49171", "whatsapp://send?phone={phone}"),
    ],
)
def test_values_go_and_names_stay(url: str, scrubbed: str) -> None:
    assert scrub("url", "", url) == scrubbed


@pytest.mark.parametrize("url", ["https://shop.example/a/b", "/orders/17/items", "https://shop.example:8443", "", "/"])
def test_a_url_that_asks_for_nothing_stays_the_same_object(url: str) -> None:
    assert scrub("url", "", url) is url


VALUES = st.text(st.characters(codec="utf-8", exclude_characters="&#=\0;?"), min_size=6, max_size=30)
NAMES = st.text("abcdefgh_", min_size=1, max_size=8)


@given(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=5), st.sampled_from("?#"))
def test_no_value_of_a_parameter_gets_through(parameters: list[tuple[str, str]], mark: str) -> None:
    url = f"https://shop.example/a{mark}" + "&".join(f"{name}={value}" for name, value in parameters)
    head, _, query = scrub("url", "", url).partition(mark)
    assert head == "https://shop.example/a"
    left = [parameter.partition("=") for parameter in query.split("&")]
    assert [name for name, _, _ in left] == [name for name, _ in parameters]
    assert all(value in MARKS for _, _, value in left)


@pytest.mark.parametrize(
    ("kind", "key", "text", "scrubbed"),
    [
        (
            "message",
            "",
            "GET https://a:b@h.example/x?q=shoes&r failed",
            "GET https://h.example/x?q={value}&{value} failed",
        ),
        ("message", "", "GET /search?shoes failed", "GET /search?{value} failed"),
        ("message", "", "see (https://h.example/p?q=1).", "see (https://h.example/p?q={value})."),
        ("message", "", 'src="https://h.example/p?q=1" alt', 'src="https://h.example/p?q={value}" alt'),
        ("message", "", "posted ?q=shoes&x=1", "posted ?q={value}&x={value}"),
        ("header", "Referer", "https://h.example/?shoes", "https://h.example/?{value}"),
        ("header", "Link", "/p?q=shoes", "/p?q={value}"),
        ("attribute", "http.target", "/p?q=shoes", "/p?q={value}"),
        ("attribute", "anything", "/p?shoes", "/p?{value}"),
        ("attribute", "url.query", "q=shoes&x", "q={value}&{value}"),
        ("path", "", "/p?q=shoes", "/p?q={value}"),
    ],
)
def test_urls_are_found_wherever_they_stand(kind: str, key: str, text: str, scrubbed: str) -> None:
    assert scrub(kind, key, text) == scrubbed
