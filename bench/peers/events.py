"""A feedback event as the idiom describes it: Pydantic models with the limits that ours have."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class Data(BaseModel):
    metric: Literal["nps", "csat", "ces", "rating", "recommend", "comment"]
    score: float | None = None
    text: str | None = Field(None, max_length=200_000)
    customer: str | None = Field(None, min_length=1, max_length=256)
    channel: str | None = Field(None, min_length=1, max_length=256)
    segment: str | None = Field(None, min_length=1, max_length=256)


class Event(BaseModel):
    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=256)
    source: str = Field(min_length=1, max_length=256)
    type: str = Field(min_length=1, max_length=256)
    time: datetime
    data: Data
