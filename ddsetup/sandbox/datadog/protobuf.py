"""Reading messages in protobuf's wire format, whatever they mean."""

from __future__ import annotations

import struct
from collections.abc import Iterator


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message: number and varint, or number and the raw bytes of other types.

    Raises ValueError for what is no message.
    """
    position = 0
    while position < len(data):
        tag, position = varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, position = varint(data, position)
            yield number, value
            continue
        if wire_type == 2:
            length, position = varint(data, position)
        elif wire_type in (1, 5):
            length = 8 if wire_type == 1 else 4
        else:
            raise ValueError("unknown wire type")
        if position + length > len(data):
            raise ValueError("truncated message")
        yield number, data[position : position + length]
        position += length


def parts(data: bytes, number: int) -> list[bytes]:
    """All values of one field that are messages, texts or numbers of fixed length."""
    return [value for found, value in fields(data) if found == number and isinstance(value, bytes)]


def delimited(data: bytes) -> Iterator[bytes]:
    """Messages one after the other, each behind its length. Raises ValueError when one is cut off."""
    position = 0
    while position < len(data):
        length, position = varint(data, position)
        if position + length > len(data):
            raise ValueError("truncated message")
        yield data[position : position + length]
        position += length


def varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and the position behind it. Raises ValueError when it is cut off."""
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
    raise ValueError("truncated varint")


def double(raw: bytes) -> float:
    """A number of eight bytes; protobuf leaves out what is zero."""
    return float(struct.unpack("<d", raw.ljust(8, b"\0"))[0])
