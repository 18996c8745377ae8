"""The tables of `petla_alerts`. Times are the database's clock.

`followup_event` is the log of states, the audit and the outbox at once: a row without `published_at` is still owed to
the log. The row of a follow-up is what its events add up to.
"""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TIMESTAMP
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

_TIME = TIMESTAMP(timezone=True)
_FOLLOWUP = "followup.id"


class Table(SQLModel, registry=registry()):
    """The base of this service's tables: a registry of its own, since SQLModel's default one is global."""


class Followup(Table, table=True):
    """One a feedback and one a submission at most. `overdue_at` is when this deadline was reported as missed."""

    __table_args__ = (
        sa.Index("followup_due", "first_attempt_due", "id"),
        sa.Index(
            "followup_to_report",
            "first_attempt_due",
            "id",
            postgresql_where=sa.text("overdue_at IS NULL AND state IN ('new', 'assigned')"),
        ),
        sa.Index(
            "followup_nameless_order",
            "order_id",
            postgresql_where=sa.text("customer IS NULL AND order_id IS NOT NULL"),
        ),
    )

    id: uuid.UUID = Field(primary_key=True, sa_type=sa.Uuid)
    feedback: uuid.UUID = Field(sa_type=sa.Uuid, unique=True)
    submission: uuid.UUID | None = Field(default=None, sa_type=sa.Uuid, unique=True)
    rule: str = Field(sa_type=sa.Text)
    version: int
    state: str = Field(sa_type=sa.Text)
    priority: str = Field(sa_type=sa.Text)
    customer: str | None = Field(default=None, sa_type=sa.Text, index=True)
    order_id: str | None = Field(default=None, sa_type=sa.Text)
    metric: str | None = Field(default=None, sa_type=sa.Text)
    score: float | None = None
    scale_min: float | None = None
    scale_max: float | None = None
    text: str | None = Field(default=None, sa_type=sa.Text)
    opened_at: datetime = Field(sa_type=_TIME)
    first_attempt_due: datetime = Field(sa_type=_TIME)
    overdue_at: datetime | None = Field(default=None, sa_type=_TIME)
    assignee: str | None = Field(default=None, sa_type=sa.Text)
    level: int = 0
    root_cause: str | None = Field(default=None, sa_type=sa.Text)
    action: str | None = Field(default=None, sa_type=sa.Text)


class SeenFeedback(Table, table=True):
    """The highest revision seen of every scored feedback. `answer` is kept of detractors only.

    `keeps` is the follow-up that this feedback keeps alive: its own, or the one of its submission that it joined.
    """

    __tablename__ = "seen_feedback"
    __table_args__ = (
        sa.Index("seen_feedback_keeps", "keeps", postgresql_where=sa.text("keeps IS NOT NULL")),
        sa.Index(
            "seen_feedback_customer",
            sa.text("(answer ->> 'customer')"),
            postgresql_where=sa.text("answer IS NOT NULL"),
        ),
        sa.Index(
            "seen_feedback_nameless_order",
            sa.text("(answer ->> 'order_id')"),
            postgresql_where=sa.text("answer IS NOT NULL AND NOT answer ? 'customer'"),
        ),
    )
    feedback: uuid.UUID = Field(primary_key=True, sa_type=sa.Uuid)
    revision: int = Field(sa_type=sa.BigInteger)
    answer: dict[str, Any] | None = Field(default=None, sa_type=JSONB)
    keeps: uuid.UUID | None = Field(default=None, sa_type=sa.Uuid, foreign_key=_FOLLOWUP)


class Suppression(Table, table=True):
    """A revision of a detractor that opened no follow-up of its own; an outbox like `followup_event`."""

    __table_args__ = (sa.Index("suppression_unpublished", "at", postgresql_where=sa.text("published_at IS NULL")),)

    feedback: uuid.UUID = Field(primary_key=True, sa_type=sa.Uuid)
    revision: int = Field(primary_key=True, sa_type=sa.BigInteger)
    reason: str = Field(sa_type=sa.Text)
    joined: uuid.UUID | None = Field(default=None, sa_type=sa.Uuid, foreign_key=_FOLLOWUP)
    at: datetime = Field(sa_type=_TIME)
    value: bytes = Field(sa_type=BYTEA)
    published_at: datetime | None = Field(default=None, sa_type=_TIME)
    lease_token: uuid.UUID | None = Field(default=None, sa_type=sa.Uuid)
    lease_until: datetime | None = Field(default=None, sa_type=_TIME)


class FollowupEvent(Table, table=True):
    """A step of a follow-up. `value` is the event as it stands on the log and goes out to webhooks."""

    __tablename__ = "followup_event"
    __table_args__ = (sa.Index("followup_event_unpublished", "at", postgresql_where=sa.text("published_at IS NULL")),)

    followup_id: uuid.UUID = Field(primary_key=True, sa_type=sa.Uuid, foreign_key=_FOLLOWUP)
    version: int = Field(primary_key=True)
    kind: str = Field(sa_type=sa.Text)
    at: datetime = Field(sa_type=_TIME)
    value: bytes = Field(sa_type=BYTEA)
    published_at: datetime | None = Field(default=None, sa_type=_TIME)
    lease_token: uuid.UUID | None = Field(default=None, sa_type=sa.Uuid)
    lease_until: datetime | None = Field(default=None, sa_type=_TIME)


class Notification(Table, table=True):
    """A step that somebody outside is told of. `id` is the webhook-id of every attempt."""

    __table_args__ = (
        sa.ForeignKeyConstraint(["followup_id", "version"], ["followup_event.followup_id", "followup_event.version"]),
        sa.Index("notification_due", "next_at", postgresql_where=sa.text("state = 'pending'")),
        sa.Index("notification_newest", "created_at", "id"),
    )

    id: uuid.UUID = Field(primary_key=True, sa_type=sa.Uuid)
    followup_id: uuid.UUID = Field(sa_type=sa.Uuid)
    version: int
    channel: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    attempts: int = 0
    next_at: datetime = Field(sa_type=_TIME)
    lease_token: uuid.UUID | None = Field(default=None, sa_type=sa.Uuid)
    lease_until: datetime | None = Field(default=None, sa_type=_TIME)
    last_status: int | None = None
    last_error: str | None = Field(default=None, sa_type=sa.Text)
    created_at: datetime = Field(sa_type=_TIME)
    delivered_at: datetime | None = Field(default=None, sa_type=_TIME)


class Activity(Table, table=True):
    """A revision of what happened around a customer; the highest revision of a fact is current."""

    __table_args__ = (
        sa.Index("activity_customer", "customer", "at"),
        sa.Index(
            "activity_consent",
            "customer",
            "at",
            postgresql_where=sa.text("type = 'customer.updated.v1' AND data ? 'consent'"),
        ),
    )

    id: uuid.UUID = Field(primary_key=True, sa_type=sa.Uuid)
    revision: int = Field(primary_key=True, sa_type=sa.BigInteger)
    content: bytes = Field(sa_type=BYTEA)
    type: str = Field(sa_type=sa.Text)
    customer: str | None = Field(default=None, sa_type=sa.Text)
    order_id: str | None = Field(default=None, sa_type=sa.Text, index=True)
    contact_id: str | None = Field(default=None, sa_type=sa.Text, index=True)
    at: datetime = Field(sa_type=_TIME)
    data: dict[str, Any] = Field(sa_type=JSONB)
    received_at: datetime | None = Field(default=None, sa_type=_TIME)


class EraseRequest(Table, table=True):
    """A customer to be erased, of whom no other process knows yet."""

    __tablename__ = "erase_request"

    id: uuid.UUID = Field(primary_key=True, sa_type=sa.Uuid)
    customer: str = Field(sa_type=sa.Text)
    received_at: datetime = Field(sa_type=_TIME)


class SurveyRefusal(Table, table=True):
    """A customer who does not want to be asked, as a hash under the secret that `key` is the fingerprint of."""

    __tablename__ = "survey_refusal"

    key: str = Field(primary_key=True, sa_type=sa.Text)
    bucket: int = Field(primary_key=True)
    hash: bytes = Field(primary_key=True, sa_type=BYTEA)


class SurveyBucket(Table, table=True):
    """A record of `petla.config` that tells refusals: it is due while `version` is above what was `told`."""

    __tablename__ = "survey_bucket"

    key: str = Field(primary_key=True, sa_type=sa.Text)
    bucket: int = Field(primary_key=True)
    version: int = Field(sa_type=sa.BigInteger)
    told: int = Field(sa_type=sa.BigInteger)
    lease_token: uuid.UUID | None = Field(default=None, sa_type=sa.Uuid)
    lease_until: datetime | None = Field(default=None, sa_type=_TIME)


class SurveyRefusalsKnown(Table, table=True):
    """A secret under which every customer was looked at."""

    __tablename__ = "survey_refusals_known"

    key: str = Field(primary_key=True, sa_type=sa.Text)
