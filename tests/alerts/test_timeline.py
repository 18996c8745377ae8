"""Every type of activity has its sentence."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.alerts.timeline import happened
from shared.events.activity import ACTIVITY
from shared.events.catalogue import TYPES

AT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type_", "told", "ref", "text"),
    [
        ("customer.updated.v1", b'{"customer":"c","name":null,"phone":"1"}', "c", "Customer updated: name, phone"),
        ("customer.updated.v1", b'{"customer":"c"}', "c", "Customer updated"),
        ("order.placed.v1", b'{"order_id":"o"}', "o", "Order placed"),
        (
            "order.placed.v1",
            b'{"order_id":"o","total":{"amount":5,"currency":"PLN"}}',
            "o",
            "Order placed: 0.05 PLN",
        ),
        (
            "order.placed.v1",
            b'{"order_id":"o","total":{"amount":12345,"currency":"KWD"}}',
            "o",
            "Order placed: 12.345 KWD",
        ),
        ("order.cancelled.v1", b'{"order_id":"o"}', "o", "Order cancelled"),
        (
            "delivery.promised.v1",
            b'{"order_id":"o","promised_at":"2026-11-20T18:00:00+01:00"}',
            "o",
            "Delivery promised for 2026-11-20 18:00+01:00",
        ),
        (
            "delivery.completed.v1",
            b'{"order_id":"o","completed_at":"2026-11-20T18:00:00+01:00"}',
            "o",
            "Delivered at 2026-11-20 18:00+01:00",
        ),
        ("return.requested.v1", b'{"return_id":"r","order_id":"o"}', "o", "Return requested for order o"),
        (
            "refund.issued.v1",
            b'{"refund_id":"r","order_id":"o","amount":{"amount":-500,"currency":"JPY"}}',
            "o",
            "Refund of -500 JPY for order o",
        ),
        ("contact.opened.v1", b'{"contact_id":"k"}', "k", "Contact opened"),
        ("contact.replied.v1", b'{"contact_id":"k","by":"customer","public":true}', "k", "The customer replied"),
        (
            "contact.replied.v1",
            b'{"contact_id":"k","by":"agent","public":false}',
            "k",
            "The agent left an internal note",
        ),
        ("contact.resolved.v1", b'{"contact_id":"k"}', "k", "Contact resolved"),
        ("contact.reopened.v1", b'{"contact_id":"k"}', "k", "Contact reopened"),
        (
            "call.ended.v1",
            b'{"call_id":"x","outcome":"abandoned","wait_seconds":31.6}',
            "x",
            "Call abandoned after waiting 32 s",
        ),
        ("session.ended.v1", b'{"session_id":"v","ordered":true}', "v", "Visit that ended with an order"),
        ("survey.invited.v1", b'{"invitation_id":"i","survey_id":"s","customer":"c"}', "i", "Invited to survey s"),
        (
            "survey.bounced.v1",
            b'{"invitation_id":"i","survey_id":"s","customer":"c"}',
            "i",
            "Invitation to survey s could not be delivered",
        ),
    ],
)
def test_a_sentence(type_: str, told: bytes, ref: str, text: str) -> None:
    entry = happened(type_, AT, decoded(type_, told))
    assert (entry.kind, entry.ref, entry.text) == (type_.removesuffix(".v1"), ref, text)


def decoded(type_: str, told: bytes) -> Any:
    return TYPES[type_].decoder.decode(told)


def test_no_type_is_forgotten() -> None:
    (cases,) = test_a_sentence.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for case in cases.args[1]} == set(ACTIVITY)
