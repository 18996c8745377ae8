"""A document that names the type itself may ask for an erasure; whoever only holds a key may not."""

from tests.ingest.sources.mapped import judged

ASKED = {"type": "customer.erase_requested.v1", "id": "e-1", "data": {"customer": "c-1"}}


def test_no_delivery_chooses_that_type() -> None:
    judgement = judged("generic", ASKED)
    assert (judgement.made, dict(judgement.ignored)) == ([], {"unknown_type": 1})
    enveloped = {"specversion": "1.0", "source": "/x", **ASKED}
    assert judged("cloudevents", enveloped, media="application/cloudevents+json").made == []
    assert judged("standard-webhooks", {**ASKED, "timestamp": "2026-11-20T10:00:00Z"}, {"webhook-id": "m1"}).made == []
