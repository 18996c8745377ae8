"""Which partition a key belongs to: Kafka's own rule (murmur2 of the key), so that every producer agrees."""

from struct import Struct

_WORD = Struct("<I")
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The 32-bit murmur2 hash with Kafka's seed, as an unsigned integer."""
    length = len(key)
    value = 0x9747B28C ^ length
    for (word,) in _WORD.iter_unpack(key[: length & ~3]):
        k = word * _M & _MASK
        value = (value * _M ^ (k ^ k >> 24) * _M) & _MASK
    if length & 3:
        value = (value ^ int.from_bytes(key[length & ~3 :], "little")) * _M & _MASK
    value = (value ^ value >> 13) * _M & _MASK
    return value ^ value >> 15


def partition_of(key: bytes, partitions: int) -> int:
    return (murmur2(key) & 0x7FFFFFFF) % partitions
