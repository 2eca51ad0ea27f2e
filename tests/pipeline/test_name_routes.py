"""Routes group what belongs together and keep apart what does not."""

import pytest

from ingest.pipeline.name_routes import name_routes
from ingest.pipeline.strings import StringTable
from tests.batches import spans_of


def route_of(**span: str) -> str:
    batch = spans_of([span])
    table = StringTable(batch.strings)
    return table.strings[name_routes(batch, table)[0]]


@pytest.mark.parametrize(
    ("url", "route"),
    [
        ("https://api.shop.example/orders/17", "GET api.shop.example/orders/{id}"),
        ("https://api.shop.example/orders/17/items/3?page={value}", "GET api.shop.example/orders/{id}/items/{id}"),
        ("http://h:8080/u/0b5d1a52-6a10-4e05-9c9b-2f1d8f0f9a11/x", "GET h:8080/u/{id}/x"),
        ("https://h.example/v1/users/me", "GET h.example/v1/users/me"),
        ("https://h.example/blob/3f9a1c2bd4e5", "GET h.example/blob/{id}"),
        ("https://h.example/order-12345/pay", "GET h.example/{id}/pay"),
        ("https://h.example/static/app.3f9a1c2b.js", "GET h.example/static/app.{hash}.js"),
        ("https://h.example/i/662b8f75da15ca606d21.webp", "GET h.example/i/{hash}.webp"),
        ("https://h.example/static/app-3f9a1c2b.js", "GET h.example/static/app-{hash}.js"),
        ("https://h.example/u/{email}/cart", "GET h.example/u/{id}/cart"),
        ("https://h.example/#/cart/7", "GET h.example/"),
        ("https://h.example", "GET h.example"),
        ("/relative/9", "GET /relative/{id}"),
        ("https://h.example/decade/facade", "GET h.example/decade/facade"),
    ],
)
def test_a_url_becomes_the_route_people_would_name(url, route):
    assert route_of(url=url) == route


def test_a_span_without_a_url_goes_by_its_name():
    assert route_of(name="Checkout screen", method="") == "Checkout screen"
    assert route_of(name="GET /users/42", method="GET") == "GET /users/{id}"


def test_a_route_is_bounded_in_length():
    assert len(route_of(url="https://h.example/" + "abcde/" * 100)) == 200


def test_line_breaks_in_a_name_do_not_shift_the_others():
    batch = spans_of([{"name": "a\nb", "method": ""}, {"name": "c", "method": ""}])
    table = StringTable(batch.strings)
    assert [table.strings[code] for code in name_routes(batch, table)] == ["a b", "c"]
