"""Files of pages: the tokens of the design are among every service's, and a page may only do what it was given."""

from pathlib import Path

import pytest

from shared.pages.files import file_answer, static_files, templates
from shared.pages.policy import page_headers
from shared.problems import Refusal


def test_a_service_has_its_files_and_the_tokens(tmp_path: Path) -> None:
    (tmp_path / "page.css").write_text("a{}")
    (tmp_path / "notes.txt").write_text("not for anybody")
    found = static_files(tmp_path)
    assert sorted(found) == ["layout.css", "page.css", "petla.svg", "tokens.css"]
    assert (found["page.css"].content, found["page.css"].media_type) == (b"a{}", "text/css; charset=utf-8")


def test_an_address_changes_with_the_content(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("{{ static('page.css') }}")
    addresses = []
    for content in ("a{}", "b{}"):
        (tmp_path / "page.css").write_text(content)
        addresses.append(templates(tmp_path, static_files(tmp_path), "/static").get_template("page.html").render())
    assert addresses[0] != addresses[1]
    assert all(address.startswith("/static/") and address.endswith("/page.css") for address in addresses)


def test_only_the_current_content_may_be_kept(tmp_path: Path) -> None:
    found = static_files(tmp_path)
    digest = found["tokens.css"].digest
    assert "immutable" in file_answer(found, digest, "tokens.css").headers["cache-control"]
    assert file_answer(found, "0" * 12, "tokens.css").headers["cache-control"] == "no-cache"
    with pytest.raises(Refusal):
        file_answer(found, digest, "../files.py")


def test_a_page_may_do_what_it_was_given_and_no_more() -> None:
    plain = page_headers()["Content-Security-Policy"]
    assert plain == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    )
    assert "script-src 'self'" in page_headers(scripts=True)["Content-Security-Policy"]
    assert "form-action 'self'" in page_headers(forms=True)["Content-Security-Policy"]
