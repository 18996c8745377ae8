"""Who buys and what: invented customers, articles, stores and agents. Pure.

No telephone rings: a Polish number never begins with 0. No mail arrives: example.com belongs to nobody.
"""

import unicodedata
from random import Random
from typing import Any, NamedTuple

from services.demo.chances import pick

_WOMEN = (
    "Anna Maria Katarzyna Małgorzata Agnieszka Barbara Ewa Magdalena Joanna Monika Zofia Natalia Aleksandra Karolina"
    " Justyna Beata Dorota Jadwiga Renata Alicja Weronika Paulina Łucja Żaneta Iwona Helena Kinga Oliwia"
)
_MEN = (
    "Jan Piotr Andrzej Krzysztof Stanisław Tomasz Paweł Marcin Michał Marek Grzegorz Jakub Adam Łukasz Zbigniew"
    " Kamil Mateusz Dawid Rafał Sławomir Wojciech Bartosz Szymon Ignacy Filip Hubert Konrad Olaf"
)
# Feminine and masculine form.
_FAMILIES = (
    ("Sosnowa", "Sosnowy"),
    ("Jeziorska", "Jeziorski"),
    ("Wrzosek", "Wrzosek"),
    ("Kalinowska", "Kalinowski"),
    ("Żurawska", "Żurawski"),
    ("Pogodna", "Pogodny"),
    ("Świerczek", "Świerczek"),
    ("Miodowska", "Miodowski"),
    ("Gołąb", "Gołąb"),
    ("Brzezińska", "Brzeziński"),
    ("Jaskółka", "Jaskółka"),
    ("Łąkowska", "Łąkowski"),
    ("Borówka", "Borówka"),
    ("Złotowska", "Złotowski"),
    ("Czajka", "Czajka"),
    ("Wiśniewska", "Wiśniewski"),
    ("Modrzewska", "Modrzewski"),
    ("Rosa", "Rosa"),
    ("Skowronek", "Skowronek"),
    ("Zielińska", "Zieliński"),
    ("Malinowska", "Malinowski"),
    ("Chmura", "Chmura"),
    ("Topolska", "Topolski"),
    ("Grabowska", "Grabowski"),
)
SEGMENTS = {"nowi": 0.45, "powracający": 0.4, "stali klienci": 0.15}
STORES = {"sklep internetowy": 0.6, "Warszawa": 0.14, "Kraków": 0.1, "Gdańsk": 0.08, "Wrocław": 0.08}
ONLINE = "sklep internetowy"


class Article(NamedTuple):
    """`wanted` is the name in the accusative; `price` in grosze."""

    name: str
    wanted: str
    price: int


ARTICLES = (
    Article("ekspres do kawy", "ekspres do kawy", 129_900),
    Article("czajnik elektryczny", "czajnik", 15_900),
    Article("słuchawki bezprzewodowe", "słuchawki", 24_900),
    Article("lampka biurkowa", "lampkę", 11_900),
    Article("plecak miejski", "plecak", 18_900),
    Article("kurtka przeciwdeszczowa", "kurtkę", 32_900),
    Article("buty trekkingowe", "buty", 44_900),
    Article("robot kuchenny", "robota kuchennego", 89_900),
    Article("pościel bawełniana", "pościel", 21_900),
    Article("odkurzacz pionowy", "odkurzacz", 109_900),
    Article("patelnia żeliwna", "patelnię", 13_900),
    Article("koc wełniany", "koc", 16_900),
)


class Customer(NamedTuple):
    """`ending` completes a past tense in the first person: zamówił+em, zamówił+am."""

    id: str
    name: str
    phone: str
    email: str
    segment: str
    ending: str
    may_be_contacted: bool

    def fields(self) -> dict[str, Any]:
        """The `data` of customer.updated.v1."""
        return {
            "customer": self.id,
            "name": self.name,
            "phone": self.phone,
            "email": self.email,
            "language": "pl",
            "segment": self.segment,
            "consent": {"contact": self.may_be_contacted, "survey": True},
        }


def invented(number: int, prefix: str, random: Random) -> Customer:
    """A customer; `number` makes the id and the address unique."""
    is_woman = random.random() < 0.52
    first = random.choice((_WOMEN if is_woman else _MEN).split())
    family = random.choice(_FAMILIES)[0 if is_woman else 1]
    digits = f"{random.randrange(10**6):06}"
    return Customer(
        id=f"{prefix}-k{number}",
        name=f"{first} {family}",
        phone=f"+48 000 {digits[:3]} {digits[3:]}",
        email=f"{without_diacritics(f'{first}.{family}').lower()}{number}@example.com",
        segment=pick(random.random(), SEGMENTS),
        ending="am" if is_woman else "em",
        may_be_contacted=random.random() > 0.04,
    )


def without_diacritics(text: str) -> str:
    """As many people type: Zażółć becomes Zazolc."""
    plain = unicodedata.normalize("NFD", text.translate(str.maketrans("łŁ", "lL")))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
