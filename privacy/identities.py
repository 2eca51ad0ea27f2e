"""Numbers that states give to people: told by the name before them, or by form and check digits."""

import re
from collections.abc import Callable, Mapping
from importlib import import_module

_NAMES: Mapping[str, str] = {
    "ssn": "us.ssn",
    "itin": "us.itin",
    "dni": "es.dni es.nie ar.dni pe.cui",
    "nie": "es.nie",
    "nif": "es.nif pt.nif",
    "nir": "fr.nir",
    "codice fiscale": "it.codicefiscale",
    "steuer": "de.idnr",
    "bsn": "nl.bsn",
    "aadhaar": "in_.aadhaar",
    "aadhar": "in_.aadhaar",
    "cpf": "br.cpf",
    "curp": "mx.curp",
    "rut": "cl.rut",
    "pesel": "pl.pesel",
    "hetu": "fi.hetu",
    "personnummer": "se.personnummer no.fodselsnummer",
    "fodselsnummer": "no.fodselsnummer",
    "cpr": "dk.cpr",
    "rrn": "kr.rrn",
    "ahv": "ch.ssn",
    "sin": "ca.sin",
    "tckn": "tr.tckimlik",
    "oib": "hr.oib",
    "cnp": "ro.cnp",
    "egn": "bg.egn",
    "pps": "ie.pps",
    "tfn": "au.tfn",
    "nhs": "gb.nhs",
    "snils": "ru.snils",
    "nric": "my.nric",
    "emso": "si.emso rs.jmbg",
    "jmbg": "rs.jmbg",
    "amka": "gr.amka",
    "insz": "be.nn be.bis",
    "niss": "be.nn be.bis",
    "rijksregister": "be.nn be.bis",
    "rsa id": "za.idnr",
    "south african id": "za.idnr",
    "teudat zehut": "il.idnr",
    "id nr": "de.idnr",
    "idnr": "de.idnr",
}
"""Name of a number → modules of `stdnum` that know its check digits."""


def _validator(module: str) -> Callable[[str], bool] | None:
    try:
        return import_module(f"stdnum.{module}").is_valid  # type: ignore[no-any-return]
    except ImportError:
        return None


_VALIDATORS: Mapping[str, tuple[Callable[[str], bool], ...]] = {
    name: tuple(valid for valid in map(_validator, modules.split()) if valid is not None)
    for name, modules in _NAMES.items()
}
_ALL = tuple(
    valid
    for valid in dict.fromkeys(valid for validators in _VALIDATORS.values() for valid in validators)
    if not (valid("12345678") and valid("12345679"))
)
"""All that have check digits."""
_ITALIAN = _VALIDATORS["codice fiscale"]
_BRAZILIAN = _VALIDATORS["cpf"]
_MEXICAN = _VALIDATORS["curp"]
_SWISS = _VALIDATORS["ahv"]
_FINNISH = _VALIDATORS["hetu"]
_KOREAN = _VALIDATORS["rrn"]
_FRENCH = _VALIDATORS["nir"]
_BELGIAN = _VALIDATORS["insz"]
_CHILEAN = _VALIDATORS["rut"]
_NORWEGIAN = _VALIDATORS["fodselsnummer"]
_CHINESE = tuple(filter(None, (_validator("cn.ric"),)))


def is_valid(label: str, number: str) -> bool:
    """Whether the check digits are those of the number that the label names; under another name, those of any state."""
    return _any(_VALIDATORS.get(label.lower(), _ALL), number)


_FORMS = (
    (re.compile(r"[A-Z]{6}[0-9A-Z]{10}\Z"), _ITALIAN),
    (re.compile(r"[A-Z]{4}[0-9]{6}[A-Z]{6}[0-9A-Z][0-9]\Z"), _MEXICAN),
    (re.compile(r"[0-9]{6}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]\Z"), _CHINESE),
    (re.compile(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\Z"), _BRAZILIAN),
    (re.compile(r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}\Z"), _SWISS),
    (re.compile(r"[0-9]{6}[\-+A-F][0-9]{3}[0-9A-Y]\Z"), _FINNISH),
    (re.compile(r"[0-9]{6}-[1-8][0-9]{6}\Z"), _KOREAN),
    (re.compile(r"[1-8](?: [0-9AB]{2,3}){6}\Z"), _FRENCH),
    (re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}\Z"), _BELGIAN),
    (re.compile(r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Kk]\Z"), _CHILEAN),
    (re.compile(r"[0-9]{6} [0-9]{5}\Z"), _NORWEGIAN),
)
"""How a number is written → who can tell its check digits."""


def is_unmistakable(number: str) -> bool:
    """Whether a number says by itself whose it is: its form is one state's alone and its check digits are right.

    Italian tax code, Mexican CURP, Brazilian CPF, Swiss AHV, Belgian INSZ and Chilean RUT as they are written, Finnish
    and Korean identity number, Chinese identity card, French and Norwegian number in groups.
    """
    return any(form.match(number) and _any(valid, number.upper()) for form, valid in _FORMS)


def _any(validators: tuple[Callable[[str], bool], ...], number: str) -> bool:
    return any(valid(number) for valid in validators)
