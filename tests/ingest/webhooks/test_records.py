"""What a record keeps of a delivery's headers: those that a rule may read, and nothing that opens a door."""

from services.ingest.webhooks.document import compile_source
from services.ingest.webhooks.records import kept_headers
from shared.events.catalogue import ACCEPTED_TYPES

DOCUMENT = """\
source: doors
verify: {scheme: token, header: x-door}
rules: [{emit: order.placed.v1, id: id, map: {order_id: id}}]
"""


def test_the_header_of_a_shared_secret_is_left_out_and_the_others_stand_in_order() -> None:
    schemes = compile_source(DOCUMENT, "doors.yaml", ACCEPTED_TYPES).schemes
    headers = {"x-topic": "orders/create", "x-door": "open sesame", "accept": "*/*", "x-hub-signature": "s"}
    kept = {"accept": "*/*", "x-topic": "orders/create"}
    assert list(kept_headers(headers, schemes).items()) == list(kept.items())
    assert list(kept_headers(headers, ()).items()) == [
        ("accept", "*/*"),
        ("x-door", "open sesame"),
        ("x-topic", "orders/create"),
    ]


def test_so_many_headers_are_kept_and_so_much_of_each() -> None:
    headers = {f"x-{number:03}": "v" * 2_000 for number in range(100)}
    kept = kept_headers(headers, ())
    assert list(kept) == [f"x-{number:03}" for number in range(64)]
    assert set(map(len, kept.values())) == {1_000}
