"""The synthetic world of the traffic generator: apps, releases, devices, countries, networks, people.

Everything here is invented and seeded; nothing measures a real product. The proportions follow what is published about
mobile traffic: mostly reused connections, heavy-tailed latencies, a few countries that dominate.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Country:
    """A country with its share of sessions, its test network, and how far its users are from the servers."""

    code: str
    share: float
    network: str
    distance: float
    """Factor on the round trip."""


@dataclass(frozen=True, slots=True)
class Device:
    """A model as its platform names it. `memory_mb` and `cores` are 0 where the platform does not tell."""

    platform: str
    """`android`, `ios` or `web`."""
    device_class: str
    manufacturer: str
    model: str
    os_name: str
    os_version: str
    memory_mb: int
    cores: int
    share: float
    user_agent: str


@dataclass(frozen=True, slots=True)
class Network:
    """A connection type with its median round trip and bandwidth."""

    name: str
    share: float
    rtt_us: int
    bytes_per_s: int
    dns_us: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route of an app's backend."""

    method: str
    host: str
    path: str
    """With `{id}`, `{uuid}`, `{email}` … placeholders, filled by `loadtest.people`."""
    server_us: int
    """Median time the server takes."""
    response_bytes: int
    request_bytes: int = 0
    query: str = ""
    error_rate: float = 0.01
    error_status: int = 500
    template: str = ""
    """The client's own route; empty when the server has to derive it."""
    opaque: bool = False
    """Another origin without Timing-Allow-Origin: a browser sees no phases."""


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen with the requests it makes: rows of `App.endpoints`, each with its probability."""

    name: str
    requests: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Regression:
    """What a release made slower, and for whom."""

    version: str
    endpoint: int
    device_class: str
    country: str
    phase: str
    median_us: int


@dataclass(frozen=True, slots=True)
class App:
    """An app with its versions (oldest first; the last one is being rolled out) and its backend."""

    name: str
    share: float
    versions: tuple[str, ...]
    platforms: tuple[str, ...]
    screens: tuple[Screen, ...]
    endpoints: tuple[Endpoint, ...]
    regressions: tuple[Regression, ...] = ()
    otlp_platforms: tuple[str, ...] = field(default=())
    """Platforms on which this app reports through an OpenTelemetry SDK."""


# Benchmarking and documentation networks (RFC 2544, RFC 5737) and private space stand for the world.
COUNTRIES = (
    Country("US", 0.17, "198.18.0.0/20", 1.0),
    Country("BR", 0.13, "198.18.16.0/20", 1.9),
    Country("IN", 0.13, "198.18.32.0/20", 2.2),
    Country("DE", 0.09, "198.18.48.0/20", 1.0),
    Country("GB", 0.07, "198.18.64.0/20", 1.0),
    Country("FR", 0.06, "198.18.80.0/20", 1.0),
    Country("ID", 0.05, "198.18.96.0/20", 2.4),
    Country("MX", 0.04, "198.18.112.0/20", 1.6),
    Country("JP", 0.04, "198.18.128.0/20", 1.4),
    Country("ES", 0.03, "198.18.144.0/20", 1.1),
    Country("IT", 0.03, "198.18.160.0/20", 1.1),
    Country("NG", 0.03, "198.18.176.0/20", 3.0),
    Country("PL", 0.02, "198.18.192.0/20", 1.1),
    Country("TR", 0.02, "198.18.208.0/20", 1.5),
    Country("ZA", 0.02, "198.18.224.0/20", 2.5),
    Country("AR", 0.02, "198.18.240.0/20", 2.0),
    Country("CA", 0.01, "198.19.0.0/20", 1.0),
    Country("AU", 0.01, "198.19.16.0/20", 2.0),
    Country("KE", 0.01, "198.19.32.0/20", 2.8),
    Country("VN", 0.01, "198.19.48.0/20", 2.3),
    Country("", 0.01, "203.0.113.0/24", 1.5),
)
"""The last one stands in no country database."""

_ANDROID = (
    "Mozilla/5.0 (Linux; Android {os}; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
)
_IOS_APP = "App/1 CFNetwork/3860.100.1 Darwin/25.0.0"
_WEB_DESKTOP = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
_WEB_MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0"
    " Safari/605.1.15"
)
_OKHTTP = "okhttp/5.1.0"

DEVICES = (
    Device("android", "low", "samsung", "SM-A035F", "Android", "13", 2867, 8, 0.10, _OKHTTP),
    Device("android", "low", "Xiaomi", "220233L2G", "Android", "12", 1920, 8, 0.08, _OKHTTP),
    Device("android", "low", "motorola", "moto e13", "Android", "13", 1843, 8, 0.06, _OKHTTP),
    Device("android", "mid", "samsung", "SM-A546B", "Android", "15", 5600, 8, 0.13, _OKHTTP),
    Device("android", "mid", "Xiaomi", "23053RN02A", "Android", "14", 5530, 8, 0.08, _OKHTTP),
    Device("android", "high", "Google", "Pixel 9 Pro", "Android", "16", 15600, 8, 0.05, _OKHTTP),
    Device("android", "high", "samsung", "SM-S938B", "Android", "16", 11300, 8, 0.06, _OKHTTP),
    Device("ios", "high", "Apple", "iPhone17,1", "iOS", "26.1", 7680, 6, 0.10, _IOS_APP),
    Device("ios", "high", "Apple", "iPhone15,2", "iOS", "18.7", 5680, 6, 0.07, _IOS_APP),
    Device("ios", "mid", "Apple", "iPhone12,1", "iOS", "18.7", 3790, 6, 0.05, _IOS_APP),
    Device("web", "high", "", "", "Windows", "", 8192, 16, 0.10, _WEB_DESKTOP),
    Device("web", "unknown", "", "", "macOS", "", 0, 0, 0.05, _WEB_MAC),
    Device("web", "mid", "", "", "Android", "15", 4096, 8, 0.05, _ANDROID.format(os="15")),
    Device("web", "low", "", "", "Android", "11", 2048, 4, 0.02, _ANDROID.format(os="11")),
)

NETWORKS = (
    Network("wifi", 0.48, 24_000, 5_000_000, 14_000),
    Network("4g", 0.37, 55_000, 1_600_000, 32_000),
    Network("3g", 0.09, 240_000, 160_000, 130_000),
    Network("wired", 0.06, 11_000, 12_000_000, 8_000),
)

_SHOP = App(
    name="shop",
    share=0.5,
    versions=("5.1.4", "5.2.0", "5.2.1"),
    platforms=("android", "ios", "web"),
    screens=(
        Screen("Home", ((0, 1.0), (1, 0.9), (7, 0.9), (7, 0.6), (8, 0.5))),
        Screen("Search", ((2, 1.0), (2, 0.6), (2, 0.4), (7, 0.8), (7, 0.8))),
        Screen("Product", ((3, 1.0), (7, 1.0), (7, 0.7), (4, 0.5))),
        Screen("Basket", ((4, 1.0), (5, 0.5))),
        Screen("Checkout", ((5, 1.0), (6, 1.0), (9, 0.7))),
    ),
    endpoints=(
        Endpoint("GET", "https://api.shop.example", "/v2/home", 60_000, 18_000),
        Endpoint("GET", "https://api.shop.example", "/v2/users/{id}/recommendations", 110_000, 9_000),
        Endpoint("GET", "https://api.shop.example", "/v2/search", 140_000, 22_000, query="q={word}&page={small}"),
        Endpoint("GET", "https://api.shop.example", "/v2/products/{id}", 45_000, 7_000, template="/v2/products/{id}"),
        Endpoint("PUT", "https://api.shop.example", "/v2/baskets/{uuid}/items/{id}", 55_000, 900, 300),
        Endpoint(
            "GET", "https://api.shop.example", "/v2/addresses", 40_000, 1_500, query="email={email}&phone={phone}"
        ),
        Endpoint(
            "POST",
            "https://api.shop.example",
            "/checkout",
            260_000,
            1_200,
            2_400,
            template="/checkout",
            error_rate=0.02,
        ),
        Endpoint(
            "GET", "https://img.shop.example", "/i/{hash}.webp", 9_000, 48_000, error_rate=0.003, error_status=404
        ),
        Endpoint("GET", "https://ads.tracker.example", "/pixel/{hash}", 30_000, 200, query="uid={uuid}", opaque=True),
        Endpoint(
            "POST",
            "https://api.shop.example",
            "/v2/payments",
            420_000,
            700,
            1_100,
            query="card={card}",
            error_status=402,
        ),
    ),
    regressions=(Regression("5.2.1", 6, "low", "BR", "request", 1_100_000),),
)

_BANK = App(
    name="bank",
    share=0.25,
    versions=("11.3", "11.4", "12.0"),
    platforms=("android", "ios"),
    screens=(
        Screen("Login", ((0, 1.0), (1, 1.0))),
        Screen("Accounts", ((2, 1.0), (3, 0.8))),
        Screen("Transfer", ((4, 0.8), (5, 1.0))),
    ),
    endpoints=(
        Endpoint(
            "POST", "https://id.bank.example", "/oauth/token", 180_000, 1_900, 700, error_rate=0.04, error_status=401
        ),
        Endpoint("GET", "https://api.bank.example", "/customers/{email}/profile", 70_000, 3_100),
        Endpoint("GET", "https://api.bank.example", "/accounts", 120_000, 5_200, query="session={token}"),
        Endpoint(
            "GET", "https://api.bank.example", "/accounts/{iban}/transactions", 210_000, 14_000, query="page={small}"
        ),
        Endpoint("GET", "https://api.bank.example", "/payees", 50_000, 2_300, query="near={place}"),
        Endpoint("POST", "https://api.bank.example", "/transfers", 330_000, 800, 900, template="/transfers"),
    ),
)

_VIDEO = App(
    name="video",
    share=0.25,
    versions=("3.8.0", "3.9.0", "3.9.2"),
    platforms=("android", "ios", "web"),
    screens=(
        Screen("Browse", ((0, 1.0), (1, 1.0), (1, 0.9), (1, 0.8), (1, 0.5))),
        Screen("Title", ((2, 1.0), (1, 0.8))),
        Screen("Player", ((3, 1.0), (4, 1.0), (4, 1.0), (4, 1.0), (4, 0.8), (4, 0.7), (5, 0.9))),
    ),
    endpoints=(
        Endpoint("GET", "https://api.video.example", "/profiles/{uuid}/rows", 150_000, 32_000),
        Endpoint("GET", "https://art.video.example", "/posters/{hash}/small.avif", 7_000, 21_000),
        Endpoint("GET", "https://api.video.example", "/titles/{id}", 60_000, 6_000),
        Endpoint("POST", "https://license.video.example", "/license", 190_000, 2_800, 1_600, query="token={token}"),
        Endpoint(
            "GET",
            "https://cdn.video.example",
            "/v/{hash}/seg-{small}.m4s",
            12_000,
            900_000,
            error_rate=0.004,
            template="/v/{id}/{segment}",
        ),
        Endpoint("POST", "https://api.video.example", "/beacons/heartbeat", 20_000, 60, 500),
    ),
    otlp_platforms=("web",),
)

APPS = (_SHOP, _BANK, _VIDEO)
