"""Devices as they present themselves to an edge, and the class each should get.

Numbers are what apps and browsers report, not what is sold: memory as `ActivityManager.MemoryInfo.totalMem`,
`ProcessInfo.physicalMemory` or `navigator.deviceMemory` gives it, `None` where the platform does not tell.

Sources of what is sold: gsmarena.com and makers' pages for Android phones, theapplewiki.com/wiki/Models for Apple's
devices, makers' data sheets for laptops. How much of it apps see: totalMem leaves out what kernel, radio and graphics
reserve, 5 to 12 %. What browsers tell: https://developer.mozilla.org/docs/Web/API/Navigator/deviceMemory,
https://chromestatus.com/feature/6330376953921536 (values since Chrome 147), https://caniuse.com/hardwareconcurrency
(Safari), https://www.chromium.org/updates/ua-reduction/ (the model K).
"""

from typing import NamedTuple

MIB_PER_GB = 1024


class Known(NamedTuple):
    """One device."""

    name: str
    device_class: str
    os: str | None = None
    model: str | None = None
    memory_mb: int | None = None
    cores: int | None = None
    user_agent: str = ""
    hints: tuple[tuple[str, str], ...] = ()


def native(name: str, device_class: str, model: str, memory_mb: int | None, cores: int | None = 8) -> Known:
    """An Android app: okhttp names itself, not the device."""
    return Known(name, device_class, "Android", model, memory_mb, cores, "okhttp/5.1.0")


def apple(name: str, device_class: str, model: str, memory_mb: int | None = None, os: str = "iOS") -> Known:
    """An app on an iPhone or iPad."""
    return Known(name, device_class, os, model, memory_mb, 6, "App/1 CFNetwork/3860.100.1 Darwin/25.0.0")


def browser(
    name: str,
    device_class: str,
    user_agent: str,
    memory_gb: float | None = None,
    cores: int | None = None,
    **hints: str,
) -> Known:
    """A page: no system and no model, memory as the browser rounds it."""
    memory_mb = None if memory_gb is None else int(memory_gb * MIB_PER_GB)
    sent = tuple((key.replace("_", "-"), value) for key, value in hints.items())
    return Known(name, device_class, None, None, memory_mb, cores, user_agent, sent)


_CHROMIUM = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0{} Safari/537.36"
ANDROID = _CHROMIUM.format("Linux; Android 10; K", " Mobile")
ANDROID_TABLET = _CHROMIUM.format("Linux; Android 10; K", "")
WEBVIEW = _CHROMIUM.format("Linux; Android 15; SM-A146B Build/AP3A; wv", " Mobile")
WINDOWS = _CHROMIUM.format("Windows NT 10.0; Win64; x64", "")
MAC = _CHROMIUM.format("Macintosh; Intel Mac OS X 10_15_7", "")
LINUX = _CHROMIUM.format("X11; Linux x86_64", "")
CHROMEBOOK = _CHROMIUM.format("X11; CrOS x86_64 14541.0.0", "")
_SAFARI = "Mozilla/5.0 ({}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0{} Safari/60{}"
MAC_SAFARI = _SAFARI.format("Macintosh; Intel Mac OS X 10_15_7", "", "5.1.15")
IPHONE_SAFARI = _SAFARI.format("iPhone; CPU iPhone OS 18_7 like Mac OS X", " Mobile/15E148", "4.1")
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
FIREFOX_ANDROID = "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
HEADLESS = LINUX.replace("Chrome/", "HeadlessChrome/")
KAIOS = "Mozilla/5.0 (Mobile; LYF/F90M/LYF_F90M; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5"

DEVICES = (
    native("Galaxy A03 Core, 2 GB", "low", "SM-A032F", 1884),
    native("Galaxy A03, 3 GB", "low", "SM-A035F", 2867),
    native("Redmi 10C, 2 GB as reported", "low", "220233L2G", 1920),
    native("moto e13, 2 GB", "low", "moto e13", 1843),
    native("Nokia C1, 1 GB, four cores", "low", "Nokia C1", 912, 4),
    native("Redmi A1, 2 GB, four cores", "low", "220733SG", 1890, 4),
    native("Galaxy A10, 2 GB", "low", "SM-A105F", 1850),
    native("Tecno Pop 7, 2 GB", "low", "TECNO BF6", 1880, 4),
    native("itel A60s, 4 GB, four cores", "low", "itel A662LM", 3720, 4),
    native("Galaxy A14, 4 GB", "mid", "SM-A145F", 3605),
    native("Redmi 12, 4 GB", "mid", "23053RN02A", 3590),
    native("Redmi 12, 6 GB", "mid", "23053RN02A", 5530),
    native("Galaxy A54, 6 GB", "mid", "SM-A546B", 5600),
    native("Redmi Note 8, 4 GB", "mid", "Redmi Note 8", 3690),
    native("Pixel 4a, 6 GB", "mid", "Pixel 4a", 5620),
    native("six cores, 4 GB", "mid", "Moto G5 Plus", 3700, 6),
    native("six cores, 8 GB", "mid", "MI MAX", 7500, 6),
    native("Galaxy A54, 8 GB", "high", "SM-A546E", 7300),
    native("Pixel 8a", "high", "Pixel 8a", 7420, 9),
    native("Pixel 9 Pro", "high", "Pixel 9 Pro", 15600),
    native("Galaxy S25 Ultra", "high", "SM-S938B", 11300),
    native("OnePlus 12, 16 GB", "high", "CPH2581", 15300),
    native("Galaxy Tab S9, 8 GB", "high", "SM-X710", 7350),
    native("Fire HD 8, 2 GB", "low", "KFONWI", 1930, 4)._replace(os="Fire OS"),
    native("Galaxy S24 that tells no memory", "high", "SM-S921B", None, None),
    native("Pixel 6a that tells no memory", "mid", "Pixel 6a", None, None),
    native("Galaxy A03 Core that tells no memory", "low", "SM-A032M", None, None),
    native("sold with 4 to 8 GB, tells none", "unknown", "SM-A546B", None, 8),
    native("a model nobody knows", "unknown", "XX-1000", None, None),
    native("the emulator on a developer's machine", "unknown", "sdk_gphone64_arm64", 15800, 16),
    apple("iPhone 6s", "low", "iPhone8,1"),
    apple("iPhone SE", "low", "iPhone8,4", 2005),
    apple("iPhone 7 Plus", "low", "iPhone9,2"),
    apple("iPhone 8", "low", "iPhone10,1"),
    apple("iPod touch 7", "low", "iPod9,1"),
    apple("iPad 6", "low", "iPad7,5", os="iPadOS"),
    apple("iPhone X", "mid", "iPhone10,6"),
    apple("iPhone XR", "mid", "iPhone11,8", 2900),
    apple("iPhone 11", "mid", "iPhone12,1", 3790),
    apple("iPhone SE 2", "mid", "iPhone12,8"),
    apple("iPad 9", "mid", "iPad12,1", os="iPadOS"),
    apple("iPad Pro 11, 2018", "mid", "iPad8,1", 3750),
    apple("iPhone 12", "high", "iPhone13,2"),
    apple("iPhone 14 Pro", "high", "iPhone15,2", 5680),
    apple("iPhone 16 Pro", "high", "iPhone17,1", 7680),
    apple("iPhone 17 Pro Max", "high", "iPhone18,2"),
    apple("by the name it is sold by", "high", "iPhone 15 Pro"),
    apple("iPad Pro M4", "high", "iPad16,3", os="iPadOS"),
    apple("iPad 10", "high", "iPad13,18"),
    apple("newer than the table, tells nothing", "unknown", "iPhone29,1"),
    apple("newer than the table, 12 GB", "high", "iPhone29,1", 11800),
    apple("no model, 4 GB", "mid", "", 3790),
    apple("the simulator on a developer's machine", "unknown", "arm64", 32768),
    Known(
        "iPhone in an app that names it in the User-Agent", "high", user_agent="App/1 (iPhone15,2; iOS 18.7; Scale/3)"
    ),
    browser("Chrome, Android, 1 GB", "low", ANDROID, 1, 4),
    browser("Chrome, Android, 2 to 3 GB", "low", ANDROID, 2, 8),
    browser("Chrome, Android, 3 to 6 GB", "mid", ANDROID, 4, 8),
    browser("Chrome, Android, 6 GB and more", "high", ANDROID, 8, 8),
    browser("Chrome before 147, Android, half a GB", "low", ANDROID, 0.5, 4),
    browser("Chrome, Android, memory only by hint", "mid", ANDROID, sec_ch_device_memory="4"),
    browser("Chrome, Android, memory by the old hint", "low", ANDROID, device_memory="2"),
    browser("Chrome, Android, model only by hint", "high", ANDROID, sec_ch_ua_model="Pixel 9"),
    browser("Chrome, Android, nothing but K", "unknown", ANDROID),
    browser("Chrome, Android, K and eight cores", "unknown", ANDROID, cores=8),
    browser("Chrome, Android tablet, nothing but K", "unknown", ANDROID_TABLET),
    browser("web view, ambiguous model", "unknown", WEBVIEW),
    browser("web view, 4 GB", "mid", WEBVIEW, 4, 8),
    browser("Firefox, Android", "unknown", FIREFOX_ANDROID, cores=4),
    browser("Safari, iPhone", "unknown", IPHONE_SAFARI, cores=4),
    browser("Chrome, laptop with 4 GB", "low", WINDOWS, 4, 4),
    browser("Chrome, two processors, 8 GB", "low", WINDOWS, 8, 2),
    browser("Chrome, laptop with 8 GB, four processors", "mid", WINDOWS, 8, 4),
    browser("Chrome, 16 GB, four processors", "mid", LINUX, 16, 4),
    browser("Chrome, laptop with 8 GB or more before 147", "high", WINDOWS, 8, 16),
    browser("Chrome, 32 GB", "high", WINDOWS, 32, 24),
    browser("Chrome, MacBook Air M1", "high", MAC, 8, 8),
    browser("Chrome, MacBook Pro", "high", MAC, 32, 14),
    browser("Chromebook, 4 GB", "low", CHROMEBOOK, 4, 2),
    browser("Chromebook, 8 GB", "mid", CHROMEBOOK, 8, 4),
    browser("Firefox, Windows", "unknown", FIREFOX, cores=8),
    browser("Firefox that resists fingerprinting", "unknown", FIREFOX, cores=2),
    browser("Safari, Mac", "unknown", MAC_SAFARI, cores=8),
    browser("a crawler", "unknown", GOOGLEBOT, 8, 8),
    browser("a test without a screen", "unknown", HEADLESS, 32, 16),
    browser("a phone with KaiOS", "unknown", KAIOS),
    Known("nothing at all", "unknown"),
    Known("only memory: enough for neither kind", "low", memory_mb=2048, cores=8),
    Known("only memory: 8 GB are high on both kinds", "high", memory_mb=8192, cores=8),
    Known("only memory: 4 GB are low on a desktop", "low", memory_mb=4096, cores=8),
    Known("only cores", "unknown", "Android", None, None, 2),
    Known("gigabytes in a field for megabytes", "unknown", "Android", "XX-1000", 8, 8),
    Known("bytes in a field for megabytes", "unknown", "Android", "XX-1000", 8 << 30, 8),
)
