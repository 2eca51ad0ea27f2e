"""Numbers that name a person: telephones, cards, accounts and identity numbers, valid by their checks."""

from importlib import import_module
from random import Random

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from stdnum import iban, imei, luhn

_IDS: dict[str, tuple[str, str]] = {
    # module of stdnum, shape as in `fill`
    "us": ("us.ssn", "###-##-####"),
    "es": ("es.dni", "########A"),
    "nie": ("es.nie", "X#######A"),
    "fr": ("fr.nir", "{sex}{yy}{mm}7511######"),
    "de": ("de.idnr", "###########"),
    "it": ("it.codicefiscale", "AAAAAA{yy}H{dd}F205A"),
    "pl": ("pl.pesel", "{yy}{mm}{dd}#####"),
    "br": ("br.cpf", "###.###.###-##"),
    "in": ("in_.aadhaar", "#### #### ####"),
    "pan": ("in_.pan", "AAAPA####A"),
    "nl": ("nl.bsn", "#########"),
    "be": ("be.nn", "{yy}.{mm}.{dd}-###.##"),
    "se": ("se.personnummer", "{yy}{mm}{dd}-####"),
    "no": ("no.fodselsnummer", "{dd}{mm}{yy} #####"),
    "fi": ("fi.hetu", "{dd}{mm}{yy}-###A"),
    "dk": ("dk.cpr", "{dd}{mm}{yy}-####"),
    "gb": ("gb.nhs", "### ### ####"),
    "ca": ("ca.sin", "### ### ###"),
    "au": ("au.tfn", "### ### ###"),
    "ch": ("ch.ssn", "756.####.####.##"),
    "at": ("at.vnr", "####{dd}{mm}{yy}"),
    "tr": ("tr.tckimlik", "###########"),
    "ro": ("ro.cnp", "{sex}{yy}{mm}{dd}######"),
    "cz": ("cz.rc", "{yy}{mm}{dd}/####"),
    "bg": ("bg.egn", "{yy}{mm}{dd}####"),
    "hr": ("hr.oib", "###########"),
    "kr": ("kr.rrn", "{yy}{mm}{dd}-1######"),
    "cn": ("cn.ric", "11010519{yy}{mm}{dd}###A"),
    "jp": ("jp.in_", "############"),
    "mx": ("mx.curp", "AAAA{yy}{mm}{dd}HDFAAA0#"),
    "cl": ("cl.rut", "##.###.###-#"),
    "ar": ("ar.cuit", "20-########-#"),
    "za": ("za.idnr", "{yy}{mm}{dd}50090##"),
    "il": ("il.idnr", "#########"),
    "th": ("th.pin", "1############"),
    "ie": ("ie.pps", "#######A"),
    "pt": ("pt.nif", "2########"),
    "gr": ("gr.amka", "{dd}{mm}{yy}#####"),
    "ee": ("ee.ik", "3{yy}{mm}{dd}####"),
}
_REGIONS = (
    "US", "GB", "DE", "FR", "ES", "IT", "NL", "BE", "PL", "SE", "NO", "DK", "FI", "CH", "AT", "PT", "IE", "BR", "MX",
    "AR", "CL", "CO", "IN", "JP", "KR", "CN", "AU", "NZ", "ZA", "NG", "KE", "EG", "TR",
)  # fmt: skip
_ISSUERS = ("4", "51", "53", "55", "2221", "34", "37", "6011", "65", "3530", "36", "4000", "5200", "6212")
_ACCOUNTS = {
    "DE": "##################",
    "GB": "NWBK##############",
    "FR": "#######################",
    "ES": "####################",
    "NL": "ABNA##########",
    "IT": "A######################",
    "CH": "#################",
    "BE": "############",
    "AT": "################",
    "SE": "####################",
    "PT": "#####################",
    "PL": "########################",
}


def national_id(rng: Random, country: str) -> str:
    """A valid identity number as it is written in the country; `country` is a key of the table."""
    module, shape = _IDS[country]
    checker = import_module(f"stdnum.{module}")
    for _ in range(20_000):
        number = fill(rng, shape)
        if checker.is_valid(number):
            return number
    raise LookupError(f"no valid number of {country} found")


def phone(rng: Random, region: str, style: str) -> str:
    """A valid mobile number; the style is E164, INTERNATIONAL, NATIONAL, RFC3966 or digits."""
    region = region or rng.choice(_REGIONS)
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    assert example is not None
    for _ in range(200):
        digits = str(example.national_number)
        varied = phonenumbers.PhoneNumber(
            country_code=example.country_code,
            national_number=int(digits[:-4] + f"{rng.randrange(10_000):04}"),
            italian_leading_zero=example.italian_leading_zero,
        )
        if phonenumbers.is_valid_number(varied):
            break
    else:
        varied = example
    if style == "digits":
        return phonenumbers.format_number(varied, PhoneNumberFormat.E164)[1:]
    return phonenumbers.format_number(varied, getattr(PhoneNumberFormat, style or "E164"))


def card(rng: Random, separator: str) -> str:
    """A card number of one of the large issuers that passes Luhn, in groups when a separator is given."""
    start = rng.choice(_ISSUERS)
    length = 15 if start in {"34", "37"} else 14 if start == "36" else 16
    body = start + "".join(rng.choices("0123456789", k=length - 1 - len(start)))
    number = body + luhn.calc_check_digit(body)
    if not separator:
        return number
    sizes = (4, 6, 5) if length == 15 else (4, 6, 4) if length == 14 else (4, 4, 4, 4)
    return separator.join(_groups(number, sizes))


def not_a_card(rng: Random) -> str:
    """Sixteen digits that begin like a card and fail Luhn."""
    number = card(rng, "")
    return number[:-1] + str((int(number[-1]) + rng.randint(1, 9)) % 10)


def account(rng: Random, country: str, *, spaced: bool) -> str:
    """A valid IBAN."""
    country = country or rng.choice(tuple(_ACCOUNTS))
    for _ in range(5000):
        bare = fill(rng, _ACCOUNTS[country])
        number = country + iban.calc_check_digits(country + "00" + bare) + bare
        if iban.is_valid(number, check_country=False):
            return " ".join(number[i : i + 4] for i in range(0, len(number), 4)) if spaced else number
    raise LookupError(f"no valid account of {country} found")


def device_number(rng: Random) -> str:
    """A valid IMEI."""
    body = "35" + "".join(rng.choices("0123456789", k=12))
    number = body + luhn.calc_check_digit(body)
    assert imei.is_valid(number)
    return number


def fill(rng: Random, shape: str) -> str:
    """The shape with digits for #, letters for A, and a day of birth for {yy}, {mm} and {dd}."""
    born = {
        "sex": rng.choice("12"),
        "yy": f"{rng.randint(50, 99)}",
        "mm": f"{rng.randint(1, 12):02}",
        "dd": f"{rng.randint(1, 28):02}",
    }
    for name, value in born.items():
        shape = shape.replace("{" + name + "}", value)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    return "".join(
        rng.choice("0123456789") if sign == "#" else rng.choice(letters) if sign == "A" else sign for sign in shape
    )


def _groups(number: str, sizes: tuple[int, ...]) -> list[str]:
    groups, start = [], 0
    for size in sizes:
        groups.append(number[start : start + size])
        start += size
    return groups
