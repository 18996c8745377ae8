"""Which partition a key belongs to: Kafka's own rule (murmur2 of the key), so that every producer agrees."""

from struct import Struct

_SEED = 0x9747B28C
_WORD = Struct("<I")
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The 32-bit murmur2 hash with Kafka's seed, as an unsigned integer."""
    length = len(key)
    value = _SEED ^ length
    for (word,) in _WORD.iter_unpack(key[: length & ~3]):
        k = word * _M & _MASK
        value = (value * _M ^ (k ^ k >> 24) * _M) & _MASK
    if length & 3:
        value = (value ^ int.from_bytes(key[length & ~3 :], "little")) * _M & _MASK
    value = (value ^ value >> 13) * _M & _MASK
    return value ^ value >> 15


_OF_ONE_WORD = (_SEED ^ 4) * _M & _MASK


def partition_of(key: bytes, partitions: int) -> int:
    if len(key) != 4:
        return (murmur2(key) & 0x7FFFFFFF) % partitions
    # As every key of an event: the same for one word, at half the cost.
    word = int.from_bytes(key, "little") * _M & _MASK
    value = (_OF_ONE_WORD ^ (word ^ word >> 24) * _M) & _MASK
    value = (value ^ value >> 13) * _M & _MASK
    return ((value ^ value >> 15) & 0x7FFFFFFF) % partitions
