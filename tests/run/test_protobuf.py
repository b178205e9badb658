"""The wire format against the library's own messages."""

from google.protobuf import struct_pb2, timestamp_pb2, type_pb2, wrappers_pb2

from resizemix_jax.run import protobuf


def test_fields_are_those_of_the_library():
    assert wrappers_pb2.FloatValue.FromString(protobuf.single(1, 1.5)).value == 1.5
    assert wrappers_pb2.DoubleValue.FromString(protobuf.double(1, 0.1)).value == 0.1
    assert struct_pb2.Value.FromString(protobuf.varint(4, True)).bool_value is True
    assert struct_pb2.Value.FromString(protobuf.text(3, 'ä\ud800')).string_value == 'ä?'
    for number in (0, 1, 127, 128, 16_384, 2**62):
        assert timestamp_pb2.Timestamp.FromString(protobuf.varint(1, number)).seconds == number


def test_messages_lie_in_each_other():
    name = 'x' * 300
    field = protobuf.text(4, name) + protobuf.varint(3, 200)
    found = type_pb2.Type.FromString(protobuf.text(1, 'T') + protobuf.message(2, field))
    assert (found.name, found.fields[0].name, found.fields[0].number) == ('T', name, 200)
