"""Rules for numbers: cards, accounts, telephones, addresses of hosts, places."""

from privacy import verdicts_numbers
from privacy.rules import Group, gate, rule

_CALLS = (
    r"phone|telephone|tel|ph|mobile|cell|call|called|calling|caller|dial|dialed|dialing|sms|text|texted|whatsapp|"
    r"fax|msisdn|"
    r"telefon|tel[e\xc3\xa9]+fono|t[e\xc3\xa9]+l[e\xc3\xa9]+phone|telefone|handy|rufnummer|cellulare|celular|"
    r"m[o\xc3\xb3]+vil|portable|number"
)
_PLACES = (
    r"lat|latitude|lng|lon|long|longitude|coords?|coordinates?|loc|location|position|gps|geo|geolocation|geofence|"
    r"latlng|"
    r"dir|maps|route|weather|forecast|near|at|ll|sll|center|point|place|pin|marker|origin|destination|daddr|saddr|"
    r"q|standort|ubicaci[o\xc3\xb3]+n|from|to"
)
_DECIMAL = r"[+\-]?[0-9]{1,3}\.[0-9]{3,}"
_GAP = r"[ +.\-]"
_LATITUDE = r"(?i:\b(?:lat|latitude?|breite|breitengrad))"
_COMMA_PAIR = (
    rf"{_LATITUDE}[^0-9A-Za-z\x00]{{1,4}}[0-9]{{1,3}},[0-9]{{3,}}[^0-9A-Za-z\x00]{{1,4}}"
    r"(?i:lon|lng|long|longitude?|l\xc3\xa4nge|l\xc3\xa4ngengrad|laengengrad)[^0-9A-Za-z\x00]{1,4}[0-9]{1,3},[0-9]{3,}"
)
DIGITS = Group(
    gate(
        rf"{_LATITUDE}[^0-9A-Za-z\x00]{{1,4}}[0-9]+,[0-9]",
        rf"[0-9](?:{_GAP}?[0-9]){{13}}|[0-9]{{3}}\.[0-9]{{3}}\.[0-9]{{3}}-[0-9]|\b00[1-9]|\b0[1-9](?:[ "
        rf".\-][0-9]{{2}}){{4}}",
        r"\b0[1-9][0-9]*[ )\-/.]+[0-9]+|\b0[1-9][0-9]{8}|[3-9][0-9]{2} [0-9]{2,3} [0-9]{2}",
        r"\+[0-9(]|\([0-9]{3}\)|[0-9]{3}[\-.][0-9]{2,3}[\-.][0-9]{4}",
        r":[0-9A-Fa-f]*:",
        r"[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}",
        r"[0-9]{2}\.[0-9]{2}-[0-9]{3}\.|[0-9]{3}\.[0-9]{3}-[0-9Kk]|[0-9]{6} [0-9]{5}",
        r"[0-9](?:\.[0-9]+){3}|[0-9]-[0-9]{1,3}-[0-9]{1,3}-[0-9]",
        r"[A-Z]{2}[0-9]{2}(?:[ +\-]?[A-Z0-9]){11}|[A-Z]{6}[0-9]{2}|[A-Z]{4}[0-9]{6}|[0-9]{6}[\-+A-F][0-9]{3}|"
        r"[A-Z]{2} [0-9]{2} [0-9]{2}",
        r"[0-9]\.[0-9]{3,}\s{0,3}(?:,|%2C|[;/ ])\s{0,3}[+\-]?[0-9]{1,3}\.[0-9]{3}|[0-9]\xc2\xb0|(?i:geo):[+\-]?[0-9]",
        rf"(?i:\b(?:{_CALLS}))\b[^0-9\x00]{{1,12}}[0-9]",
    ),
    (
        rule("iban", r"[A-Z]{2}[0-9]{2}(?:[ +\-]?[A-Z0-9]){11,30}", verdicts_numbers.iban),
        rule("card", rf"[0-9](?:{_GAP}?[0-9]){{11,}}", verdicts_numbers.card),
        rule(
            "identity",
            r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]|"
            r"[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[0-9A-Z][0-9]|"
            r"[0-9]{17}[0-9Xx]|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}|"
            r"[0-9]{6}-[1-8][0-9]{6}|[0-9]{6}[\-+A-F][0-9]{3}[0-9A-Y]|"
            r"[1-8] [0-9]{2} [0-9]{2} [0-9AB]{2} [0-9]{3} [0-9]{3} [0-9]{2}|"
            r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}|[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Kk]|[0-9]{6} [0-9]{5}|"
            r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] [0-9]{2} [0-9]{2} [0-9]{2} [A-D]",
            verdicts_numbers.identity,
        ),
        rule(
            "phone",
            r"(?:\+|\b00)\(?[0-9](?:[ \-.()/]{0,3}[0-9]){6,14}"
            r"|\b0[1-9](?:[ .\-][0-9]{2}){4}"
            r"|\([0-9]{3}\) ?[0-9]{3}[\-. ][0-9]{4}|(?:\b1-)?[0-9]{3}-[0-9]{3}-[0-9]{4}|[0-9]{3}\.[0-9]{3}\.[0-9]{4}",
            verdicts_numbers.phone,
        ),
        rule(
            "phone",
            rf"(?i)\b(?:{_CALLS})\b[^0-9\x00]{{1,12}}\(?[0-9](?:[ \-.()/]{{0,2}}[0-9]){{6,14}}",
            verdicts_numbers.called,
        ),
        rule(
            "phone",
            r"\(?\b0[1-9](?:[ \-./()]{0,2}[0-9]){7,10}\b|\b[3-9][0-9]{2} (?:[0-9]{3} [0-9]{3,4}|"
            r"[0-9]{2} [0-9]{2} [0-9]{2})\b",
            verdicts_numbers.national_phone,
        ),
        rule("ssn", r"[0-9]{3}-[0-9]{2}-[0-9]{4}", verdicts_numbers.ssn),
        rule(
            "mac",
            r"(?:[0-9A-Fa-f]{2}[:\-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}",
            verdicts_numbers.mac,
        ),
        rule("ipv6", r"(?:[0-9A-Fa-f]*:){2,}[0-9A-Fa-f]*(?:\.[0-9]+)*", verdicts_numbers.ipv6),
        rule("ipv4", r"[0-9]+(?:\.[0-9]+){3,}", verdicts_numbers.ipv4),
        rule(
            "dashed_ip",
            r"(?:\b[A-Za-z][A-Za-z0-9]{0,20}-)?[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}",
            verdicts_numbers.dashed_ipv4,
        ),
        rule("place", _COMMA_PAIR, verdicts_numbers.comma_place),
        rule(
            "place",
            rf"(?i)(?:\b(?:{_PLACES})\b[^0-9A-Za-z\x00]{{0,6}}|@|\()?{_DECIMAL}\s{{0,3}}(?:,|%2C|[;/ "
            rf"])\s{{0,3}}{_DECIMAL}(?:[a-z%]+)?"
            r"|\bgeo:[+\-]?[0-9.]+,[+\-]?[0-9.]+"
            r"|[0-9]{1,3}\xc2\xb0\s?[0-9.]+['\x80-\xff]*\s?(?:[0-9.]+[\"'\x80-\xff]*)?\s?[NS][, "
            r"]*[0-9]{1,3}\xc2\xb0\s?[0-9.]+['\x80-\xff]*\s?(?:[0-9.]+[\"'\x80-\xff]*)?\s?[EWO]",
            verdicts_numbers.place,
        ),
    ),
)
