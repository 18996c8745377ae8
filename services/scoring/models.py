"""The tables of `petla_scoring` that are read row by row; sums are asked for in SQL (`store/`).

Facts are append-only, one row a revision: that one table is inbox, history and what every number is made of. The
current row of a fact has no `superseded_at`. Scores and the ends of scales are integer tenths.
"""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TIMESTAMP
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

_TIME = TIMESTAMP(timezone=True)


class Table(SQLModel, registry=registry()):
    """The base of this service's tables: a registry of its own, since SQLModel's default one is global."""


class Feedback(Table, table=True):
    """A revision of an answer or its retraction (then without metric and score).

    `sender` is the key's source, `data` what was sent: text, customer and every dimension.
    """

    id: uuid.UUID = Field(primary_key=True, sa_type=sa.Uuid)
    revision: int = Field(primary_key=True, sa_type=sa.BigInteger)
    retracted: bool
    content: bytes = Field(sa_type=BYTEA)
    sender: str = Field(sa_type=sa.Text)
    metric: str | None = Field(sa_type=sa.Text)
    score: int | None
    scale_min: int | None
    scale_max: int | None
    direction: str | None = Field(sa_type=sa.Text)
    group_name: str | None = Field(sa_type=sa.Text)
    time: datetime = Field(sa_type=_TIME)
    received_at: datetime = Field(sa_type=_TIME)
    recorded_at: datetime = Field(sa_type=_TIME)
    superseded_at: datetime | None = Field(sa_type=_TIME)
    partition: int
    data: dict[str, Any] = Field(sa_type=JSONB)


class Followup(Table, table=True):
    """What scoring knows of a follow-up: the newest state, and the times its metrics are made of."""

    id: uuid.UUID = Field(primary_key=True, sa_type=sa.Uuid)
    feedback: uuid.UUID = Field(sa_type=sa.Uuid)
    version: int
    state: str = Field(sa_type=sa.Text)
    opened_version: int
    opened_at: datetime | None = Field(sa_type=_TIME)
    due_version: int
    first_attempt_due: datetime | None = Field(sa_type=_TIME)
    first_attempt_at: datetime | None = Field(sa_type=_TIME)
    priority: str | None = Field(sa_type=sa.Text)
    metric: str | None = Field(sa_type=sa.Text)
    score: int | None
    scale_max: int | None


class DeadLetter(Table, table=True):
    """A record set aside by the consumer, or a conflict: the same revision of a fact with other content."""

    __tablename__ = "dead_letter"

    topic: str = Field(primary_key=True, sa_type=sa.Text)
    incarnation: str = Field(primary_key=True, sa_type=sa.Text)
    partition: int = Field(primary_key=True)
    log_offset: int = Field(primary_key=True, sa_type=sa.BigInteger)
    kind: str = Field(sa_type=sa.Text)
    reason: str = Field(sa_type=sa.Text)
    detail: str = Field(sa_type=sa.Text)
    id: uuid.UUID | None = Field(sa_type=sa.Uuid)
    source: str | None = Field(sa_type=sa.Text)
    content: bytes | None = Field(sa_type=BYTEA)
    value: bytes | None = Field(sa_type=BYTEA)
    at: datetime = Field(sa_type=_TIME)
