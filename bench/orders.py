"""Orders as Shopify delivers them, signed, at the door of the source. A load generator, a process of its own.

    python -m bench.orders PORT SECRET CONNECTIONS SECONDS

prints {"events", "wall", "failed"} as bench.load does; an event is a delivery here.
"""

import hashlib
import hmac
import json
import sys
from base64 import b64encode
from typing import Any

from bench.load import drive

PATH = "/webhooks/shopify"
SIZE = 10_000  # bytes of an order of two lines, about what the sender's own samples have
EVENTS = 2  # the order, and who placed it
_NUMBER = 70_000_000_000_000  # the first; as long as all that follow


def _money(amount: str) -> dict[str, Any]:
    shown = {"amount": amount, "currency_code": "PLN"}
    return {"shop_money": shown, "presentment_money": shown}


def _address() -> dict[str, Any]:
    return {
        "first_name": "Anna", "last_name": "Nowak", "name": "Anna Nowak", "company": None, "phone": "+48600100200",
        "address1": "ul. Długa 7", "address2": "m. 3", "city": "Kraków", "zip": "31-147", "province": "Małopolskie",
        "country": "Poland", "country_code": "PL", "province_code": None, "latitude": 50.0647, "longitude": 19.945,
    }  # fmt: skip


def _line(number: int) -> dict[str, Any]:
    return {
        "id": 14_000_000_000 + number, "admin_graphql_api_id": f"gid://shopify/LineItem/{14_000_000_000 + number}",
        "attributed_staffs": [], "current_quantity": 1, "fulfillable_quantity": 1, "fulfillment_service": "manual",
        "fulfillment_status": None, "gift_card": False, "grams": 450, "name": f"Kubek {number} - duży",
        "price": "49.90", "price_set": _money("49.90"), "product_exists": True, "product_id": 8_000_000_000 + number,
        "properties": [{"name": "grawer", "value": "dla Ani"}], "quantity": 1, "requires_shipping": True,
        "sku": f"KUB-{number}", "taxable": True, "title": f"Kubek {number}", "total_discount": "0.00",
        "total_discount_set": _money("0.00"), "variant_id": 44_000_000_000 + number, "variant_title": "duży",
        "variant_inventory_management": "shopify", "vendor": "Pracownia", "duties": [], "discount_allocations": [],
        "tax_lines": [{"title": "VAT", "price": "9.33", "rate": 0.23, "price_set": _money("9.33"),
                       "channel_liable": False}],
    }  # fmt: skip


def _order() -> dict[str, Any]:
    amounts = (
        "subtotal_price", "total_discounts", "total_line_items_price", "total_price", "total_tax",
        "current_subtotal_price", "current_total_price", "current_total_tax", "current_total_discounts",
    )  # fmt: skip
    order = {
        "id": _NUMBER, "admin_graphql_api_id": f"gid://shopify/Order/{_NUMBER}", "app_id": 580111,
        "browser_ip": "203.0.113.7", "buyer_accepts_marketing": True, "cancel_reason": None, "cancelled_at": None,
        "cart_token": "c1-0a1b2c3d4e5f60718293a4b5c6d7e8f9", "checkout_id": 37_000_000_000_000,
        "checkout_token": "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "closed_at": None, "confirmed": True,
        "client_details": {"accept_language": "pl-PL", "browser_height": None, "browser_ip": "203.0.113.7",
                           "browser_width": None, "session_hash": None, "user_agent": "Mozilla/5.0 (X11; Linux)"},
        "confirmation_number": "AB12CD34E", "contact_email": "anna@example.com", "email": "anna@example.com",
        "created_at": "2026-11-20T10:00:00+01:00", "updated_at": "2026-11-20T10:00:02+01:00",
        "processed_at": "2026-11-20T09:59:58+01:00", "currency": "PLN", "presentment_currency": "PLN",
        "customer_locale": "pl-PL", "device_id": None, "discount_codes": [], "estimated_taxes": False,
        "financial_status": "paid", "fulfillment_status": None, "landing_site": "/products/kubek?utm_source=mail",
        "location_id": None, "name": "#1042", "note": None, "note_attributes": [], "number": 42, "order_number": 1042,
        "payment_gateway_names": ["przelewy24"], "phone": None, "reference": None, "referring_site": "",
        "source_identifier": None, "source_name": "web", "source_url": None, "tags": "", "tax_exempt": False,
        "taxes_included": True, "test": False, "token": "5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d", "total_weight": 900,
        "order_status_url": "https://shop.example.com/66/orders/5a4b3c2d/authenticate?key=0123456789abcdef",
        "billing_address": _address(), "shipping_address": _address(), "fulfillments": [], "refunds": [],
        "line_items": [_line(1), _line(2)], "payment_terms": None, "discount_applications": [],
        "tax_lines": [{"price": "18.66", "rate": 0.23, "title": "VAT", "price_set": _money("18.66")}],
        "shipping_lines": [{"id": 5_000_000_001, "carrier_identifier": None, "code": "paczkomat", "price": "12.99",
                            "price_set": _money("12.99"), "discounted_price": "12.99", "phone": None,
                            "discounted_price_set": _money("12.99"), "source": "shopify", "title": "Paczkomat",
                            "tax_lines": [], "discount_allocations": [], "is_removed": False}],
        "customer": {"id": 6_000_000_001, "email": "anna@example.com", "phone": "+48600100200", "note": None,
                     "first_name": "Anna", "last_name": "Nowak", "state": "enabled", "currency": "PLN", "tags": "",
                     "created_at": "2025-01-02T10:00:00+01:00", "updated_at": "2026-11-20T10:00:00+01:00",
                     "tax_exempt": False, "tax_exemptions": [], "verified_email": True, "default_address": _address(),
                     "email_marketing_consent": {"state": "subscribed", "opt_in_level": "single_opt_in"}},
    }  # fmt: skip
    for amount in amounts:
        order[amount] = "112.79"
        order[f"{amount}_set"] = _money("112.79")
    order["note"] = "x" * (SIZE - len(_written(order)) + len("null") - len('""'))
    return order


def _written(order: dict[str, Any]) -> bytes:
    return json.dumps(order, separators=(",", ":"), ensure_ascii=False).encode()


class Deliveries:
    """One order after the other, each placed once."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._order = _written(_order())

    def make(self, name: str, number: int) -> tuple[bytes, int]:
        """`name` is the connection's: its orders are its own."""
        own = int(name[:6], 16) * 1_000_000 + number
        body = self._order.replace(b"%d" % _NUMBER, b"%d" % (_NUMBER + own))
        signature = b64encode(hmac.digest(self._secret, body, hashlib.sha256)).decode()
        head = (
            f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: Shopify-Captain-Hook\r\naccept: */*\r\n"
            "accept-encoding: gzip\r\ncontent-type: application/json\r\nx-shopify-api-version: 2026-10\r\n"
            f"x-shopify-event-id: {name}\r\nx-shopify-hmac-sha256: {signature}\r\n"
            "x-shopify-shop-domain: shop.example.com\r\nx-shopify-test: false\r\nx-shopify-topic: orders/create\r\n"
            f"x-shopify-triggered-at: 2026-11-20T09:00:02Z\r\nx-shopify-webhook-id: {name}-{number}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body, 1


if __name__ == "__main__":
    import uvloop

    port, secret, connections, seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(drive(int(port), Deliveries(secret).make, int(connections), float(seconds)))))
