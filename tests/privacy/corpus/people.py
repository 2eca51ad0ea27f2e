"""Invented people of several cultures: names, addresses, e-mail addresses, user names."""

from dataclasses import dataclass
from random import Random
from unicodedata import normalize

_NAMES = (
    ("Jane John Emily Oliver Grace Harvey Chloe Callum", "Whitfield Ashworth Pemberton Holloway Thackeray Lockwood"),
    ("Jürgen Käthe Lieselotte Sönke Mareike Anke", "Müller Schäfer Großmann Oberhuber Weißgerber Krüger"),
    ("François Zoé Amélie Jérôme Héloïse Benoît", "Lefèvre Beauséjour Châtelain Dufrêne Garnier d'Aubigné"),
    ("José Lucía Iñigo Ximena Joaquín Begoña", "Muñoz Echeverría Castellanos Peñalver Ibáñez Quiroga"),
    ("João Inês Conceição Thiago Luísa Raquel", "Gonçalves Magalhães Guimarães Araújo Figueiredo Brandão"),
    ("Giulia Niccolò Chiara Matteo Ludovica Sandro", "Bellincioni Montefeltro Scarpetta Tagliaferro Zanetti"),
    ("Wojciech Małgorzata Łukasz Agnieszka Zbigniew", "Wiśniewski Dąbrowska Szczepański Kołodziej Brzęczek"),
    ("Åsa Bjørn Søren Ingrid Þórdís Mikko", "Lindqvist Østergaard Håkansson Virtanen Sigurðardóttir Kjærgaard"),
    ("Yiğit Şule Çağla Ömer Gülşen", "Yıldırım Öztürk Kılıçdar Şahin Aydoğan"),
    ("Oluwaseun Chidinma Thandiwe Kwabena Amahle", "Okonkwo Adeyemi Mokoena Asante Nkosi"),
    ("Priya Arjun Lakshmi Rohan Ananya Vikram", "Chattopadhyay Venkataraman Deshmukh Iyengar Bhattacharya"),
    ("Nguyễn Thảo Minh Quân Hương", "Trần Phạm Đặng Hoàng Vương"),
    ("Xiaoming Meilin Haoran Yuxuan Jiayi", "Ouyang Zhao Huang Situ Zheng"),
    ("Haruto Aiko Kenji Sakura Yūki", "Yamamoto Fujiwara Takahashi Kobayashi Ōno"),
)
_FOREIGN = (
    ("Иван Ольга Дмитрий Светлана", "Кузнецов Соловьёва Волков Морозова"),
    ("太郎 花子 健太 美咲", "山田 佐藤 高橋 渡辺"),
    ("伟 芳 秀英 建国", "王 李 欧阳 赵"),
    ("민준 서연 지훈", "김 박 최"),
    ("Γιώργος Ελένη Νίκος", "Παπαδόπουλος Οικονόμου Νικολάου"),
    ("محمد فاطمة خالد", "الحسيني المصري العتيبي"),
    ("דוד שרה יעל", "כהן לוי מזרחי"),
)
_STREETS = (
    "12 Rosebank Avenue", "221B Larch Street", "4 Privet Close, Flat 9", "1600 Juniper Blvd Apt 4C", "Lindenstraße 45",
    "Am Gänsemarkt 7", "14 rue des Peupliers", "8 bis avenue Foch", "Calle del Olmo 23, 4º B",
    "Rua das Laranjeiras 118",
    "Via dei Giardini 6", "ul. Jaśminowa 17/3", "Birkevej 22", "Kirkegata 5", "PO Box 4417", "九段南1丁目2番3号",
)  # fmt: skip
_DOMAINS = (
    "example.com", "example.org", "example.net", "mail.example.com", "example.co.uk", "example.de", "corp.example.fr",
    "eu.mx.example.ch", "example.com.br", "example.io", "example.technology", "staff.example.edu", "example-post.in",
)  # fmt: skip
_WITHOUT_ACCENT = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "ı": "i", "đ": "d", "ð": "d", "þ": "th", "æ": "ae"})


@dataclass(frozen=True, slots=True)
class Person:
    """One person; every value of a line belongs to the same."""

    first: str
    last: str
    street: str
    domain: str
    number: int

    @property
    def full(self) -> str:
        """Given name and surname."""
        return f"{self.first} {self.last}"


def invent(rng: Random, *, foreign: bool = False) -> Person:
    """A person; `foreign` names are not in Latin letters."""
    firsts, lasts = rng.choice(_FOREIGN if foreign else _NAMES)
    return Person(
        first=rng.choice(firsts.split()),
        last=rng.choice(lasts.split()),
        street=rng.choice(_STREETS),
        domain=rng.choice(_DOMAINS),
        number=rng.randint(2, 9999),
    )


def login(rng: Random, person: Person) -> str:
    """A user name such as a home directory has."""
    first, last = plain(person.first), plain(person.last)
    return rng.choice((f"{first[0]}{last}", f"{first}.{last}", f"{first}{person.number}", f"{last}_{first[0]}"))


def email(rng: Random, person: Person) -> str:
    """An e-mail address: plain, dotted, with a plus, in capitals, or of a domain with letters beyond ASCII."""
    first, last, domain = plain(person.first), plain(person.last), person.domain
    local = rng.choice(
        (
            f"{first}.{last}",
            f"{first[0]}{last}{person.number}",
            f"{first}_{last}",
            f"{last}-{first}",
            f"{first}.{last}+{rng.choice(('news', 'shop', 'test'))}{person.number}",
            f"{first}{person.number}",
        )
    )
    if rng.random() < 0.08:
        domain = rng.choice(("bücher.example", "xn--bcher-kva.example", "почта.example", "例え.example"))
    address = f"{local}@{domain}"
    return address.upper() if rng.random() < 0.06 else address


def plain(name: str) -> str:
    """The name as it stands in an account: lower-case ASCII letters."""
    letters = normalize("NFD", name.lower().translate(_WITHOUT_ACCENT))
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha()) or "user"
