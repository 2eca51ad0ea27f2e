"""Headers of HTTP: what of their values is somebody's, and what is the protocol's.

Names of cookies, schemes of authentication and attributes stay readable; the values behind them go. Names by RFC 9110,
6265bis, 7239 and the documentation of the large proxies. Names are compared in lower case.
"""

import re
from collections.abc import Callable, Mapping

from privacy import keys, marks, shapes, vocabulary
from privacy.policy import Replace

_CREDENTIALS = vocabulary.words_of(
    "authorization proxy-authorization x-authorization x-forwarded-authorization x-original-authorization "
    "authentication"
)
_COOKIES = vocabulary.words_of("cookie cookie2 x-cookie x-original-cookie")
_SET_COOKIES = vocabulary.words_of("set-cookie set-cookie2")
_ADDRESSES = vocabulary.words_of(
    "x-forwarded-for x-real-ip x-client-ip x-cluster-client-ip x-original-forwarded-for x-originating-ip x-remote-ip "
    "x-remote-addr cf-connecting-ip cf-connecting-ipv6 cf-pseudo-ipv4 true-client-ip fastly-client-ip fly-client-ip "
    "x-envoy-external-address x-appengine-user-ip x-azure-clientip x-azure-socketip x-vercel-forwarded-for client-ip "
    "x-vercel-proxied-for x-nf-client-connection-ip do-connecting-ip x-sucuri-clientip x-coming-from x-forwarded "
    "forwarded-for incap-client-ip ali-cdn-real-ip cdn-src-ip"
)
_URLS = vocabulary.words_of("referer referrer location origin content-location x-original-url "
    "x-rewrite-url x-original-uri x-forwarded-uri x-forwarded-url :path x-pjax-url hx-current-url hx-redirect "
    "hx-push-url turbo-location ping-from ping-to destination sec-fetch-referer sentry-url x-url x-request-url "
    "x-wap-profile"
)  # fmt: skip
_DRAWN = vocabulary.words_of(
    "etag if-match if-none-match if-range traceparent tracestate x-request-id x-correlation-id request-id "
    "x-amzn-trace-id x-amzn-requestid x-amz-request-id x-amz-id-2 x-amz-cf-id x-amz-version-id "
    "x-cloud-trace-context x-b3-traceid x-b3-spanid x-b3-parentspanid b3 uber-trace-id cf-ray x-vercel-id "
    "x-github-request-id x-trace-id x-span-id sentry-trace x-datadog-trace-id x-datadog-parent-id content-md5 "
    "content-digest repr-digest digest x-goog-hash content-security-policy content-security-policy-report-only "
    "strict-transport-security public-key-pins sec-websocket-key sec-websocket-accept accept-ch permissions-policy "
    "x-ms-request-id x-oss-request-id x-served-by x-cache content-type server-timing x-runtime x-build x-revision "
    "x-content-hash x-goog-generation x-azure-ref x-nf-request-id fly-request-id x-shopify-stage x-timer "
    "idempotency-key x-idempotency-key x-amzn-remapped-date"
)
"""Headers whose drawn-looking values are the protocol's: identities of answers, of requests, digests."""
_NAME_LISTS = vocabulary.words_of(
    "vary access-control-allow-headers access-control-expose-headers access-control-request-headers connection "
    "trailer te access-control-allow-credentials access-control-allow-methods access-control-max-age signed-headers "
    "clear-site-data www-authenticate proxy-authenticate allow accept accept-encoding accept-language "
    "accept-charset cache-control pragma"
)
"""Headers that list names and words."""

_SCHEME = re.compile(
    r"(?i)\s*(basic|bearer|digest|negotiate|ntlm|token|apikey|api-key|jwt|key|hoba|mutual|vapid|dpop|gnap|privatetoken|"
    r"aws4-hmac-sha256|goog4-rsa-sha256|sharedkey(?:lite)?|sharedaccesssignature|scram-sha-(?:1|256)|"
    r"signature|oauth|aws|tc3-hmac-sha256|acs3-hmac-sha256|concealed|splunk|genie\w{0,8}|discogs|bot)[ \t]+(?=\S)"
)
_PAIR = re.compile(r"\s*+([^=;,\s]{1,128})\s*+=\s*+(.*)", re.DOTALL)
_COOKIE_NAME = re.compile(r"[A-Za-z0-9_.\-$:@|*!]{1,64}\Z")
_PREFERENCE = vocabulary.words_of(
    "lang language locale theme currency country region tz timezone dark darkmode mode color scheme colorscheme "
    "font units consent banner ab variant layout view density debug dpr"
)
_PREFERRED = re.compile(
    r"[A-Za-z]{1,12}(?:[_\-][A-Za-z0-9]{1,8})?\Z|[0-9](?:\.[0-9])?\Z|[A-Z][a-z]+(?:/|%2F)[A-Z][A-Za-z_]+\Z"
)
_ATTRIBUTES = {
    "path": re.compile(r"/[A-Za-z_\-./]{0,64}\Z"),
    "domain": re.compile(r"\.?[A-Za-z0-9.\-]{1,253}\Z"),
    "max-age": re.compile(r"-?[0-9]{1,12}\Z"),
    "expires": re.compile(r"[A-Za-z]{3,9}, ?[0-9]{1,2}[ \-][A-Za-z]{3}[ \-][0-9]{2,4} [0-9:]{5,8}(?: GMT| UTC)?\Z"),
    "samesite": re.compile(r"(?i)(?:lax|strict|none)\Z"),
    "priority": re.compile(r"(?i)(?:low|medium|high)\Z"),
    "version": re.compile(r"[0-9]\Z"),
}
_CARRIERS = vocabulary.words_of("http request response rpc grpc")
_FLAGS = vocabulary.words_of("secure httponly partitioned")
_FORWARDED = re.compile(r"(?i)\b((?:for|by)\s*=\s*)(\"[^\"]*\"?|[^;,\s]+)")
_NOBODY = vocabulary.words_of("unknown localhost 127.0.0.1 ::1 0.0.0.0")
_CERTIFICATE = vocabulary.words_of(
    "x-forwarded-client-cert x-client-cert ssl-client-cert x-ssl-client-cert x-ssl-client-s-dn x-ssl-client-subject-dn "
    "x-client-dn x-arr-clientcert"
)


def strip_header(name: str, value: str, replace: Replace) -> str:
    """The value of a header without what its name tells to be somebody's: `Bearer {token}`, `sid={cookie}; Path=/`."""
    lower = name.lower()
    strip = _STRIPPED.get(lower)
    if strip is not None:
        return strip(value, replace)
    if lower in _DRAWN or lower in _NAME_LISTS or lower in _URLS:
        return value
    mark = keys.judge(name, value)
    return value if mark is None else replace(mark, value)


def holds_url(name: str) -> bool:
    """Whether the header's value is a URL."""
    return name.lower() in _URLS


def skipped(name: str) -> frozenset[str]:
    """Rules that would mistake the header's value."""
    return frozenset({"opaque", "assignment", "label"}) if name.lower() in _DRAWN | _NAME_LISTS else frozenset()


def name_in_attribute(words: tuple[str, ...]) -> str | None:
    """The header that an attribute holds, by its name: `http.request.header.set_cookie` → set-cookie."""
    for at in range(len(words) - 1, 0, -1):
        if words[at - 1] in {"header", "headers", "metadata"} and words[0] in _CARRIERS:
            return "-".join(words[at:])
    return None


def strip_cookies(value: str, replace: Replace) -> str:
    """`sid=12ab; theme=dark` → `sid={cookie}; theme=dark`; what has no name goes whole."""
    return ";".join([_strip_cookie(part, replace) for part in value.split(";")])


def _strip_addresses(value: str, replace: Replace) -> str:
    return ",".join([_strip_address(part, replace) for part in value.split(",")])


def _strip_forwarded(value: str, replace: Replace) -> str:
    return _FORWARDED.sub(lambda found: found.group(1) + _put(marks.IP, found.group(2), replace), value)


def _strip_certificate(value: str, replace: Replace) -> str:
    return _put(marks.TOKEN, value, replace)


def _put(mark: str, original: str, replace: Replace) -> str:
    return (
        original if shapes.is_plain(original) or marks.is_mark(original.partition("=")[2]) else replace(mark, original)
    )


def _strip_credentials(value: str, replace: Replace) -> str:
    scheme = _SCHEME.match(value)
    credentials = value[scheme.end() :] if scheme else value
    kept = value[: scheme.end()] if scheme else ""
    return kept + _put(marks.TOKEN, credentials, replace)


def _strip_cookie(part: str, replace: Replace) -> str:
    pair = _PAIR.match(part.rstrip())
    if pair is None:
        return part if not part.strip() or marks.is_mark(part.strip()) else replace(marks.COOKIE, part)
    name, value = pair.group(1), pair.group(2)
    if not _COOKIE_NAME.match(name):
        return part if marks.is_mark(name) else replace(marks.COOKIE, part)
    is_choice = not _PREFERENCE.isdisjoint(keys.words(name)) and _PREFERRED.match(value)
    if not value or is_choice or marks.is_mark(value):
        return part
    return part[: pair.start(2)] + replace(marks.COOKIE, value)


def strip_set_cookie(value: str, replace: Replace) -> str:
    """`sid=12ab; Path=/; HttpOnly` → `sid={cookie}; Path=/; HttpOnly`."""
    first, *rest = value.split(";")
    return ";".join([_strip_cookie(first, replace), *[_strip_attribute(part, replace) for part in rest]])


def _strip_attribute(part: str, replace: Replace) -> str:
    name, _, value = part.strip().partition("=")
    shape = _ATTRIBUTES.get(name.lower())
    if name.lower() in _FLAGS or (shape is not None and shape.match(value.strip())):
        return part
    return _strip_cookie(part, replace)


def _strip_address(part: str, replace: Replace) -> str:
    address = part.strip()
    if not address or address in _NOBODY or marks.is_mark(address):
        return part
    return part[: len(part) - len(part.lstrip())] + replace(marks.IP, address)


_STRIPPED: Mapping[str, Callable[[str, Replace], str]] = {
    **dict.fromkeys(_CREDENTIALS, _strip_credentials),
    **dict.fromkeys(_COOKIES, strip_cookies),
    **dict.fromkeys(_SET_COOKIES, strip_set_cookie),
    **dict.fromkeys(_ADDRESSES, _strip_addresses),
    **dict.fromkeys(_CERTIFICATE, _strip_certificate),
    "forwarded": _strip_forwarded,
}
"""Headers with a form of their own."""
