"""Keys of the large services, told by their form.

Forms as the services document them, and as the published rules of secret scanners name them (gitleaks, GitHub's and
GitLab's lists). RE2 finds only how a key begins, since counted repetitions would make its automaton grow; the whole
form is tested here, on what was found.
"""

import re

_FORMS = {
    r"A(?:KIA|SIA|ROA|GPA|NPA|IDA|BIA|CCA)": r"[A-Z0-9]{12,}",
    r"AIza": r"[A-Za-z0-9_\-]{20,}",
    r"ya29\.": r"[A-Za-z0-9_\-.]{10,}",
    r"1//0": r"[A-Za-z0-9_\-]{20,}",
    r"4/0A": r"[A-Za-z0-9_\-]{20,}",
    r"GOCSPX-": r"[A-Za-z0-9_\-]{10,}",
    r"LTAI": r"[A-Za-z0-9]{12,}",
    r"AKID": r"[A-Za-z0-9]{24,}",
    r"gh[pousr]_": r"[A-Za-z0-9]{16,}",
    r"github_pat_": r"[A-Za-z0-9_]{16,}",
    r"gl(?:pat|ptt|dt|rt|soat|ft|agent|cbt|imt|ffct)-": r"[A-Za-z0-9_\-.]{12,}",
    r"(?:ATATT3|ATCTT3|ATBB)": r"[A-Za-z0-9_\-=]{20,}",
    r"bkua_": r"[a-z0-9]{40}",
    r"xox[a-z](?:-|\.xox[a-z]-)": r"[A-Za-z0-9\-]{8,}",
    r"xapp-": r"[A-Za-z0-9\-]{8,}",
    r"(?:sk|pk|rk|mk)_(?:live|test|prod)_": r"[A-Za-z0-9]{10,}",
    r"whsec_": r"[A-Za-z0-9+/=]{16,}",
    r"(?:sk|pk|rk|mk)_": r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{16,}",
    r"sk-(?:ant-|proj-|or-|svcacct-|admin-)?": r"(?=[A-Za-z_\-]*[0-9])[A-Za-z0-9_\-]{16,}",
    r"xai-": r"[A-Za-z0-9]{20,}",
    r"(?:gsk|r8|hf|phc|phx|figd|npm|fo1|ddp|sbp|dckr_pat|rubygems|lin_api|ntn|pplx|rdme|nfp|vcp)_": (
        r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20,}"
    ),
    r"(?:glsa|glc|sntry[su]|pscale_(?:tkn|pw|oauth)|tskey-[a-z]+)[_\-]": r"(?=[A-Za-z]*[0-9])[A-Za-z0-9_\-=+/.]{16,}",
    r"secret_": r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{40,}",
    r"ops_eyJ": r"[A-Za-z0-9+/=_\-]{50,}",
    r"SG\.": r"[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}",
    r"key-": r"[0-9a-f]{32}",
    r"xkeysib-": r"[0-9a-f]{40,}[A-Za-z0-9\-]*",
    r"pypi-": r"[A-Za-z0-9_\-]{16,}",
    r"dapi": r"[0-9a-f]{28,}(?:-[0-9])?",
    r"hv[sbr]\.": r"[A-Za-z0-9_\-]{16,}",
    r"do[oprt]_v1_": r"[0-9a-f]{32,}",
    r"shp(?:at|ca|pa|ss)_": r"[0-9A-Fa-f]{16,}",
    r"sq0[a-z]{3}-": r"[A-Za-z0-9_\-]{16,}",
    r"EAA[A-Za-z]": r"[A-Za-z0-9]{16,}",
    r"(?:AC|SK)(?=[0-9a-f])": r"[0-9a-f]{32}",
    r"PMAK-": r"[A-Za-z0-9\-]{20,}",
    r"nvapi-": r"[A-Za-z0-9_\-]{20,}",
    r"NR(?:AK|II|JS|RA)-": r"[A-Za-z0-9]{16,}",
    r"pat(?=[A-Za-z0-9]{14}\.)": r"[A-Za-z0-9]{14}\.[0-9a-f]{32,}",
    r"CFPAT-": r"[A-Za-z0-9_\-]{30,}",
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.": r"[A-Za-z0-9.]{30,}",
    r"pul-": r"[0-9a-f]{40}",
    r"FLWSECK(?:_TEST)?-": r"[A-Za-z0-9]{12,}",
    r"rzp_(?:live|test)_": r"[A-Za-z0-9]{10,}",
    r"EZ[AT]K": r"[A-Za-z0-9]{50,}",
    r"IGQV": r"[A-Za-z0-9_\-]{40,}",
    r"AGE-SECRET-KEY-1": r"[0-9A-Z]{50,}",
    r"hooks\.slack\.com/(?:services|workflows|triggers)/": r"[A-Za-z0-9/_\-]+",
    r"discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/": r"[0-9]+/[A-Za-z0-9_\-]+",
    r"(?:[a-z0-9\-]+\.)?webhook\.office\.com/webhookb2/": r"[^\s\"'<>\x00?#]+",
    r"outlook\.office\.com/webhook/": r"[^\s\"'<>\x00?#]+",
}
"""How a key begins → how it goes on."""
_BARE = (
    r"[A-Za-z0-9_~.\-]{3}[78]Q~[A-Za-z0-9_~.\-]{31,34}",  # Entra
    r"(?:bot)?[0-9]{8,10}:AA[A-Za-z0-9_\-]{30,}",  # Telegram
    r"[A-Za-z0-9_\-]{8,}:APA91[A-Za-z0-9_\-]{16,}",  # Firebase
    r"[0-9a-f]{32}-us[0-9]{1,2}",  # Mailchimp
)
"""Keys with no beginning of their own."""

PREFIXES = "|".join(re.sub(r"\(\?=[^()]*\)", "", prefix) for prefix in _FORMS)
"""How keys begin, as an expression of RE2."""
UNPREFIXED = r"[A-Za-z0-9_~.\-]+[78]Q~[A-Za-z0-9_~.\-]+|[A-Za-z0-9_\-]+:(?:AA|APA91)[A-Za-z0-9_\-]+|[0-9a-f]+-us[0-9]+"
"""The same for those with no beginning of their own, looser than `_BARE`."""
SIGNS = r"[78]Q~[A-Za-z0-9]|[A-Za-z0-9]:(?:AA|APA91)[A-Za-z0-9_\-]|[0-9a-f]-us[0-9]"
"""What each of the latter holds."""

_KEY = re.compile(
    "|".join([rf"{prefix}({tail})" for prefix, tail in _FORMS.items()] + [f"({form})" for form in _BARE]).encode()
)
_SHOWN = re.compile(rb"/(?:services|workflows|triggers|webhooks|webhookb2|webhook)/")


def match(text: bytes, start: int) -> tuple[int, int] | None:
    """Where the key that begins at a place stands; of a webhook's address, its secret. None: it is no key."""
    found = _KEY.match(text, start)
    if found is None:
        return None
    shown = _SHOWN.search(found.group())
    return (start + shown.end() if shown else start), found.end()
