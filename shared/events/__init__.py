"""The events: one msgspec struct a type, one file a topic. Pure: nothing here reads or sends."""
