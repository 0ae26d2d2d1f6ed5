# SPDX-License-Identifier: Apache-2.0
"""Reads an event file as TensorFlow's documents describe it, with the standard library alone, and prints its events as
JSON. Ends with an error for any wrong checksum or field."""
import json
import struct
import sys


def crc32c(data):  # bit by bit, as the polynomial says
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def unmasked(masked):
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF
    return (rotated >> 17 | rotated << 15) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        (crc,) = struct.unpack_from("<I", data, at + 8)
        assert unmasked(crc) == crc32c(data[at : at + 8]), f"checksum of the length at {at}"
        body = data[at + 12 : at + 12 + length]
        (crc,) = struct.unpack_from("<I", data, at + 12 + length)
        assert len(body) == length and unmasked(crc) == crc32c(body), f"checksum of the record at {at}"
        yield body
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            (value,) = struct.unpack_from("<d", data, at)
            at += 8
        elif wire == 2:
            length, at = varint(data, at)
            value = data[at : at + length]
            assert len(value) == length
            at += length
        elif wire == 5:
            (value,) = struct.unpack_from("<f", data, at)
            at += 4
        else:
            raise ValueError(f"wire type {wire}")
        yield number, value


def event(data):
    out = {"step": 0, "values": {}}
    for number, value in fields(data):
        if number == 1:
            out["time"] = value
        elif number == 2:
            out["step"] = value
        elif number == 3:
            out["version"] = value.decode()
        elif number == 5:
            for inner, scalar in fields(value):
                assert inner == 1
                parts = dict(fields(scalar))
                assert set(parts) == {1, 2}
                out["values"][parts[1].decode()] = parts[2]
        elif number == 7:
            out["session"] = dict(fields(value))[1]
        else:
            raise ValueError(f"field {number} of Event")
    return out


with open(sys.argv[1], "rb") as file:
    print(json.dumps([event(record) for record in records(file.read())]))
