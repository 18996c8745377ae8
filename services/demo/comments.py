"""What customers write, in Polish: by mood and subject, with the variation of real opinions. Pure.

`{wanted}` is the article in the accusative, `{em}` the customer's ending of the past tense, `{late}` how late it came.
"""

from random import Random

from services.demo.people import Customer, without_diacritics

_TEXTS: dict[str, tuple[str, ...]] = {
    "delighted": (
        "Wszystko super, paczka przyszła przed czasem i była porządnie zapakowana.",
        "Kupuję tu {wanted} już drugi raz i znowu bez zastrzeżeń.",
        "Ekspresowa dostawa, kurier bardzo miły. Polecam!",
        "Zamówił{em} {wanted} w poniedziałek, w środę było u mnie. Tak to powinno działać.",
        "Towar zgodny z opisem, cena też dobra. Na pewno wrócę.",
        "Polecam z czystym sumieniem, zero problemów.",
        "Świetny kontakt, szybka wysyłka, a do paczki dołączona odręczna karteczka. Miło!",
        "Jestem bardzo zadowolon{y} z zakupu, jakość lepsza, niż się spodziewał{em}.",
        "Szybko, sprawnie i bez kombinowania. Oby więcej takich sklepów.",
        "Prezent dotarł na czas, solenizant zachwycony :)",
    ),
    "content": (
        "Wszystko w porządku, choć opakowanie mogłoby być mniejsze.",
        "Dostawa na czas. Za {wanted} cena trochę wysoka, ale jakość się broni.",
        "Ogólnie dobrze, brakuje mi tylko śledzenia paczki na mapie.",
        "W porządku. Instrukcja tylko po angielsku, poza tym bez uwag.",
        "Dobre zakupy, ale płatność przeszła dopiero za drugim razem.",
        "Zgodne z opisem, kolor minimalnie inny niż na zdjęciu.",
        "Sprawnie, chociaż wolał{a}bym wybrać godzinę dostawy.",
    ),
    "so_so": (
        "Przeciętnie. Paczka cała, ale karton mocno pognieciony.",
        "Może być, ale na zdjęciach wyglądało to lepiej.",
        "Dostawa w terminie, za to kurier nie zadzwonił i szukał{em} paczki u sąsiadów.",
        "Ani dobrze, ani źle. Za te pieniądze oczekiwał{em} czegoś więcej.",
        "Strona działa wolno, koszyk dwa razy się wyczyścił. Sam towar w porządku.",
        "Dobra cena, ale jakość słaba.",
    ),
    "angry": (
        "Towar przyszedł uszkodzony, a karton był w środku pusty bez żadnego zabezpieczenia.",
        "Zamówił{em} {wanted}, dostał{em} coś zupełnie innego. Nie polecam.",
        "Produkt niezgodny z opisem, działa co drugi raz. Odsyłam.",
        "Jakość fatalna, po dwóch dniach nadaje się do kosza.",
        "Brakowało połowy elementów. Czuję się oszukan{y}.",
        "Rozczarowanie. Na zdjęciu wygląda solidnie, w rzeczywistości tandeta.",
        "Używany, z rysami, a zapłacił{em} za nowy!",
        "Paczka rzucona pod drzwi, zawartość stłuczona. Kto mi za to odda pieniądze?",
        "Faktura z błędnym NIP-em i od tygodnia nikt tego nie poprawił.",
    ),
    "late_angry": (
        "Paczka spóźniona o {late}, nikt nie raczył mnie uprzedzić.",
        "Miał to być prezent. Po urodzinach już mi niepotrzebny. {late} spóźnienia!",
        "Czekał{em} cały dzień w domu na kuriera, który przyjechał o {late} później.",
        "Obiecana data dostawy to fikcja. Ostatni raz tu kupuję.",
        "Opóźnienie {late}, a na infolinii słyszę tylko „proszę czekać”.",
        "Gdybym wiedział{a}, że to tyle potrwa, kupił{a}bym {wanted} stacjonarnie.",
        "Za późno i bez słowa przepraszam. Żenada.",
        "Status „w doręczeniu” przez {late}. Zero kontaktu ze sklepem.",
        "Dzwonił{em} trzy razy, za każdym razem inna wersja. Paczka dotarła po terminie o {late}.",
    ),
    "late_so_so": (
        "Produkt dobry, ale paczka spóźniła się o {late}.",
        "Gdyby nie opóźnienie ({late}), byłoby super.",
        "Długo to trwało. Sama rzecz w porządku.",
        "Spóźnione o {late}, przynajmniej ktoś wysłał SMS z przeprosinami.",
    ),
    "late_forgiving": (
        "Przyszło o {late} później, ale sklep sam zadzwonił i dał rabat. Doceniam!",
        "Małe opóźnienie, za to {wanted} polecam każdemu.",
        "Kurier nawalił, sklep nie. Obsługa zachowała się wzorowo.",
        "Trochę po terminie, ale zapakowane idealnie i wszystko działa.",
    ),
    "helped": (
        "Pani z infolinii załatwiła sprawę w pięć minut. Wzór obsługi.",
        "Szybka odpowiedź i konkretna pomoc, dziękuję!",
        "Reklamacja przyjęta bez dyskusji, pieniądze wróciły po dwóch dniach.",
        "Bardzo uprzejma obsługa, wszystko jasno wytłumaczone.",
        "Czat odpisał od razu i naprawdę pomógł.",
    ),
    "not_helped": (
        "Pół godziny muzyczki na infolinii, a potem rozłączenie.",
        "Trzy maile, trzy różne osoby i każda pyta o to samo.",
        "Odpowiedź kopiuj-wklej, nikt nie przeczytał, o co pytał{em}.",
        "Sprawa niby zamknięta, a problem jak był, tak jest.",
        "Konsultant niemiły, przerywał i odesłał mnie do regulaminu.",
    ),
    "in_store": (
        "Miła obsługa w salonie i fachowa rada.",
        "Odbiór w sklepie zajął dwie minuty.",
        "Duży wybór, można wszystko obejrzeć na miejscu.",
        "Nie było mojego rozmiaru, ale sprowadzono go następnego dnia.",
    ),
    "in_store_angry": (
        "Kolejka do kasy na dwadzieścia minut, czynna jedna.",
        "Nikt w salonie nie potrafił odpowiedzieć na proste pytanie.",
        "Na stronie „dostępne w sklepie”, na miejscu pusta półka.",
    ),
    "idea": (
        "Przydałaby się tabela rozmiarów przy każdym produkcie.",
        "Proszę dodać odbiór w automatach paczkowych w niedzielę.",
        "Brakuje mi zdjęć od innych klientów.",
        "Fajny sklep, tylko wyszukiwarka słabo radzi sobie z literówkami.",
        "Czy można dodać płatność odroczoną?",
    ),
}
_OPENINGS = ("Dzień dobry. ", "Witam, ", "Hej! ")
_CLOSINGS = (" Pozdrawiam.", " Pozdrawiam serdecznie", " Dziękuję.")
_ANGRY_CLOSINGS = (" Proszę o kontakt.", " Czekam na wyjaśnienie.", " Żądam zwrotu pieniędzy.", "!!!")


def mood_of_delivery(stars: int, is_late: bool) -> str:
    """Which texts fit 1–5 stars."""
    if is_late:
        return "late_angry" if stars <= 2 else "late_so_so" if stars == 3 else "late_forgiving"
    return {5: "delighted", 4: "content", 3: "so_so"}.get(stars, "angry")


def written(mood: str, customer: Customer, wanted: str, days_late: int, random: Random) -> str:
    """One comment of that mood, typed as people type: some without diacritics, some without capitals."""
    is_woman = customer.ending == "am"
    late = "1 dzień" if days_late == 1 else f"{days_late} dni"
    text = random.choice(_TEXTS[mood]).format(
        wanted=wanted,
        em=customer.ending,
        y="a" if is_woman else "y",
        a="a" if is_woman else "",
        late=late,
    )
    return _typed(_framed(text, "angry" in mood or mood == "not_helped", random), random)


def _framed(text: str, is_angry: bool, random: Random) -> str:
    opening = random.choice(_OPENINGS) if random.random() < 0.12 else ""
    closing = random.choice(_ANGRY_CLOSINGS if is_angry else _CLOSINGS) if random.random() < 0.15 else ""
    if opening.endswith(", "):
        text = text[0].lower() + text[1:]
    return opening + (text.rstrip(".!") if closing == "!!!" else text) + closing


def _typed(text: str, random: Random) -> str:
    habit = random.random()
    if habit < 0.2:
        return without_diacritics(text)
    if habit < 0.3:
        return without_diacritics(text).lower().rstrip(".")
    return text
