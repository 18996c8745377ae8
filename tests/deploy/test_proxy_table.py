"""The proxy's table of paths is that of the dispatch, line for line; this holds where there is no nginx to ask too."""

import re

from services.dispatch import ROUTES
from tests.deploy.nginx import TEMPLATE

LINE = re.compile(
    r'^ {8}"~\^(?P<methods>\S+) (?P<path>/[^(\\]*)(?P<end>\(/\|\\z\)|\\z)" (?P<owner>\w+);$', re.MULTILINE
)
WHOLE = "\\z"  # the path alone, nothing below it
BEFORE = [
    (r"\S+", "/ingest", "", "ingest"),
    (r"\S+", "/scoring", "", "scoring"),
    (r"\S+", "/alerts", "", "alerts"),
    (r"\S+", "/", WHOLE, "scoring"),
    (r"\S+", "/healthz", WHOLE, "ingest"),
    (r"\S+", "/readyz", WHOLE, "ingest"),
]


def test_the_tables_are_the_same() -> None:
    table = TEMPLATE.read_text(encoding="utf-8").split("$owner {\n")[1].split("    }\n")[0]
    found = [line.groupdict() for line in LINE.finditer(table)]
    lines = [
        (line["methods"], line["path"].replace(".+", "*"), line["end"] if line["end"] == WHOLE else "", line["owner"])
        for line in found
    ]
    expected = [
        (f"({'|'.join(methods)})" if methods else r"\S+", path, WHOLE if "*" in path else "", owner)
        for path, owner, methods in ROUTES
    ]
    assert lines == BEFORE + expected
    assert len(lines) == len(table.splitlines()) - 1  # and `default`
