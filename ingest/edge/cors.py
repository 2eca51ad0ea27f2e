"""Letting pages of other origins send, without credentials and without reflecting anything they say.

`Sec-GPC` and `DNT` are not among the headers a page may send: browsers add them themselves, after these checks.

Which origins a key serves is decided when the key is known (`admit`); a preflight carries no key, so it is answered
alike for everybody. Errors carry these headers too, else a page could not read why it was refused.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Mapping

ANSWER: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    # Lets a page time its own requests to the edge, and so anchor its clock to the moment they were sent.
    "Timing-Allow-Origin": "*",
    # Not on the list of headers that scripts may read by themselves. Exporters need the first to back off, Faro's SDK
    # the second to begin a new session; the others come with `GET /v1/config`.
    "Access-Control-Expose-Headers": (
        "Retry-After, X-Faro-Session-Status, ETag, Firsthop-Signature, Firsthop-Received-Us, Firsthop-Replied-Us"
    ),
}
"""On every answer to a request that names its origin."""

PREFLIGHT: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    # traceparent, tracestate, baggage: an instrumented fetch adds them to its own exporter's requests. Then what Faro's
    # SDK sends, with the header of the tenant that users of Grafana's collectors configure.
    "Access-Control-Allow-Headers": (
        "content-type, content-encoding, authorization, x-api-key, if-none-match, traceparent, tracestate, baggage, "
        "x-faro-session-id, idempotency-key, x-scope-orgid"
    ),
    "Access-Control-Max-Age": "3600",
}
"""On the answer to a preflight."""
