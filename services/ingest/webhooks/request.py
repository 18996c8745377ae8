"""A delivery as it came in, before anything is believed of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl

_MOST_FIELDS = 1_000


@dataclass(frozen=True)
class Request:
    """`headers` by lower-case name, as Latin-1 (so their bytes come back); `url` as the sender called it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, *names: str) -> str | None:
        """The first of these that is there."""
        for name in names:
            if name in self.headers:
                return self.headers[name]
        return None

    @cached_property
    def query(self) -> dict[str, str]:
        """Parameters of the address; of one that stands there twice, the last."""
        return dict(pairs(self.url.partition("?")[2].partition("#")[0]))

    @cached_property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @cached_property
    def media(self) -> str:
        """The media type alone, in small letters; empty where none is named."""
        return (self.headers.get("content-type", "").partition(";")[0]).strip().lower()

    @property
    def is_form(self) -> bool:
        return self.media == "application/x-www-form-urlencoded"

    @property
    def is_readable_form(self) -> bool:
        try:
            return self.is_form and bool(self.form or not self.body)
        except ValueError:
            return False

    @cached_property
    def form(self) -> list[tuple[str, str]]:
        """Fields of the body, read as a form. Raises ValueError for too many of them."""
        return pairs(self.body.decode("utf-8", "replace"))


def pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
