"""Which encoding a file is in is told by its bytes or named; nothing is read as signs that nobody wrote."""

import codecs

import pytest

from services.ingest.imports.encodings import EncodingError, Scan

OPINIONS = "id;ocena;tekst\n1;2;Zażółć gęślą jaźń, paczka spóźniona\n2;5;Świetna obsługa, dziękuję\n"
# The three letters on which the Windows and the ISO page differ do not stand here.
WITHOUT_ASZ = "1;5;Dobry sklep, polecam każdemu. Niedługo złożę drugie zamówienie, też dla córki\n"


def scanned(content: bytes, piece: int = 1 << 20) -> Scan:
    scan = Scan()
    for start in range(0, len(content), piece):
        scan.feed(content[start : start + piece])
    return scan


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (OPINIONS.encode(), "utf-8"),
        (codecs.BOM_UTF8 + OPINIONS.encode(), "utf-8"),
        (codecs.BOM_UTF8 + b"id;a\n", "utf-8"),
        (b"id;a\n1;b\n", "utf-8"),
        (b"", "utf-8"),
        (OPINIONS.encode("cp1250"), "cp1250"),
        (OPINIONS.encode("iso-8859-2"), "iso8859-2"),
        (("„Świetnie” – " + OPINIONS).encode("cp1250"), "cp1250"),
        (WITHOUT_ASZ.encode("cp1250"), "cp1250"),
        (OPINIONS.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + OPINIONS.encode("utf-16-be"), "utf-16"),
        (OPINIONS.encode("utf-16-le"), "utf-16-le"),
        (OPINIONS.encode("utf-16-be"), "utf-16-be"),
        (OPINIONS.encode("utf-32"), "utf-32"),
        # A few signs of measure or trade among much Polish change nothing.
        ((OPINIONS * 20 + "3;4;± 2 °C, 5 × 3, © 2026\n").encode("cp1250"), "cp1250"),
        # Damage in a file of UTF-8 does not make it something else.
        (OPINIONS.encode() + b"3;1;\xb3\n", "utf-8"),
    ],
)
@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_what_the_bytes_show(content: bytes, encoding: str, piece: int) -> None:
    assert scanned(content, piece).encoding(None) == encoding


@pytest.mark.parametrize(
    "content",
    [
        "crème brûlée, déjà vu, être à l'heure, cœur\n".encode("cp1252"),
        "El señor llegó mañana, atención rápida y envío\n".encode("cp1252"),
        # Here œ, ê and ñ would be ś, ę and ń; and so would ¿, ó and ñ be ż, ó and ń.
        "cœur, être, señor, crème brûlée, déjà vu\n".encode("cp1252"),
        "¿señor, acción?\n".encode("cp1252"),
        "Größe, schön, für Käufer\n".encode("cp1252"),
        "Tomáš si objednal příliš žluťoučký kůň\n".encode("cp1250"),
        "Всё хорошо, спасибо\n".encode("cp1251"),
        "2 m³ i 5 m²\n".encode("cp1252"),
        "Zażółć gęślą jaźń\n".encode("cp852"),
        "Dziękuję\n".encode("cp1250"),
        b"id;a\n1;\x81\x8d\n",
    ],
)
def test_what_the_bytes_do_not_show_is_asked_for(content: bytes) -> None:
    with pytest.raises(EncodingError, match=r"line \d, column \d+ holds the byte 0x.*encoding: cp1250"):
        scanned(content).encoding(None)


def test_half_of_one_page_and_half_of_the_other_is_asked_for() -> None:
    mixed = "gęślą jaźń, obsługa, żal\n".encode("cp1250") + "gęślą jaźń, obsługa, żal\n".encode("iso-8859-2")
    with pytest.raises(EncodingError, match="name it"):
        scanned(mixed).encoding(None)


@pytest.mark.parametrize("piece", [1, 2, 5, 1 << 20])
def test_the_place_is_counted_in_lines_and_characters(piece: int) -> None:
    content = "id;a\nżółw;Łódź ".encode() + "ść\n".encode("cp1250")
    with pytest.raises(EncodingError, match=r"line 2, column 11 holds the byte 0x9C"):
        scanned(content.replace("żółw;Łódź".encode(), "€€€€;€€€€".encode()), piece).encoding(None)


def test_an_end_in_the_middle_of_a_character_is_a_place_too() -> None:
    with pytest.raises(EncodingError, match=r"line 1, column 2 holds the byte 0xC3"):
        scanned(b"a\xc3").encoding(None)


@pytest.mark.parametrize("content", [b"a\0b\0\0\0\0", b"\x7fELF\0\0\0\x01" * 50])
def test_zero_bytes_are_no_text(content: bytes) -> None:
    with pytest.raises(EncodingError, match="no text"):
        scanned(content).encoding(None)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (OPINIONS.encode(), "cp1250"),
        (OPINIONS.encode(), "latin-1"),
        (codecs.BOM_UTF8 + b"id\n", "cp1250"),
        (OPINIONS.encode("cp1250"), "utf-8"),
        (OPINIONS.encode("cp1250"), "iso8859-2"),
        (OPINIONS.encode("iso-8859-2"), "cp1250"),
        (OPINIONS.encode("iso-8859-2"), "cp1252"),
        (OPINIONS.encode("utf-16"), "utf-8"),
        (OPINIONS.encode("utf-16-le"), "cp1250"),
    ],
)
def test_a_name_that_the_bytes_contradict_is_refused(content: bytes, named: str) -> None:
    with pytest.raises(EncodingError, match=f"says {named}, but its bytes are .*leave encoding out"):
        scanned(content).encoding(named)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"id;a\n", "cp1250"),
        ("2 m³\n".encode("cp1252"), "cp1252"),
        ("crème brûlée\n".encode("cp1252"), "cp1252"),
        ("Zażółć gęślą jaźń\n".encode("cp852"), "cp852"),
        ("Dziękuję\n".encode("cp1250"), "cp1250"),
        (WITHOUT_ASZ.encode("iso-8859-2"), "iso8859-2"),
        # In capitals, cp1250 can look like UTF-8 by chance.
        ("PÓŁKA\n".encode("cp1250"), "cp1250"),
        (OPINIONS.encode("utf-16"), "utf-16-le"),
        (b"id;\xb3\n", "utf-8"),
    ],
)
def test_a_name_that_the_bytes_do_not_contradict_holds(content: bytes, named: str) -> None:
    assert scanned(content).encoding(named) == named
