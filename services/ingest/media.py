"""Which form of events a request carries, judged by its headers alone."""

from collections.abc import Mapping
from enum import Enum

from shared.problems import Refusal

Headers = Mapping[bytes, bytes]


class Form(Enum):
    ONE_OR_ARRAY = "application/json"
    ONE = "application/cloudevents+json"
    ARRAY = "application/cloudevents-batch+json"
    LINES = "application/x-ndjson"
    BINARY = "attributes in ce- headers, data in the body"


_FORMS = {form.value: form for form in Form if form is not Form.BINARY}
_TAKEN = ", ".join(_FORMS)
_JSON = Form.ONE_OR_ARRAY


def form_of(headers: Headers) -> Form:
    """Refusal (415) for a media type, a charset or an encoding that is not taken."""
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in (b"", b"identity"):
        raise Refusal(415, "content_encoding", "a compressed body is not taken: send it without Content-Encoding")
    content_type = headers.get(b"content-type")
    if content_type == b"application/json":  # what nearly everyone sends needs no parsing
        form = _JSON
    else:
        form = _named(content_type, default=_JSON if _has_attributes(headers) else None)
    return Form.BINARY if form is _JSON and _has_attributes(headers) else form


def _has_attributes(headers: Headers) -> bool:
    return b"ce-specversion" in headers or b"ce-id" in headers


def _named(content_type: bytes | None, default: Form | None) -> Form:
    name, *parameters = (part.strip().lower() for part in (content_type or b"").decode("latin-1").split(";"))
    form = _FORMS.get(name) if name else default
    if form is None:
        raise Refusal(415, "media_type", f"the Content-Type is not taken: send one of {_TAKEN}")
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8"):
            raise Refusal(415, "charset", "only charset=utf-8 is taken: JSON is UTF-8")
    return form
