# SPDX-License-Identifier: Apache-2.0
"""Reads what torch.save would have written, with the standard library alone, and prints names, shapes, strides and
values as JSON. Ends with an error for anything that torch.load(weights_only=True) would refuse."""
import collections
import io
import json
import pickle
import struct
import sys
import zipfile

CODES = {"FloatStorage": "f", "LongStorage": "q"}


class Reader(pickle.Unpickler):
    def __init__(self, archive, folder):
        super().__init__(io.BytesIO(archive.read(folder + "/data.pkl")))
        self.archive, self.folder = archive, folder

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self.rebuild
        if module == "torch" and name in CODES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed")

    def persistent_load(self, pid):
        kind, storage, key, place, count = pid
        assert (kind, place) == ("storage", "cpu")
        data = self.archive.read(f"{self.folder}/data/{key}")
        return list(struct.unpack(f"<{count}{CODES[storage]}", data))

    @staticmethod
    def rebuild(storage, offset, size, stride, requires_grad, hooks):
        assert offset == 0 and requires_grad is False and hooks == {}
        return {"shape": size, "stride": stride, "values": storage}


with zipfile.ZipFile(sys.argv[1]) as archive:
    assert archive.testzip() is None
    folder = archive.namelist()[0].split("/")[0]
    assert archive.read(folder + "/version") == b"3\n"
    for info in archive.infolist():
        assert info.compress_type == zipfile.ZIP_STORED
        with open(sys.argv[1], "rb") as raw:
            raw.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", raw.read(4))
            assert (info.header_offset + 30 + name + extra) % 64 == 0, f"{info.filename} is not aligned"
    print(json.dumps(Reader(archive, folder).load()))
