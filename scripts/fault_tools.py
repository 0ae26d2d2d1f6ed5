# SPDX-License-Identifier: Apache-2.0
"""Made-up images, and what a run folder shows of a run, for scripts/faults."""
import csv
import json
import os
import random
import re
import struct

TRAIN, TEST, VALIDATION, BATCH, EPOCHS = 192, 512, 32, 16, 3  # many test images: measuring must take a while
STEPS = (TRAIN - VALIDATION) // BATCH


def write_data(folder):
    """IDX files with images that a network can tell apart."""
    os.makedirs(folder)
    for part, count in (("train", TRAIN), ("t10k", TEST)):
        pixels = bytearray()
        for i in range(count):
            pattern, noise = random.Random(i % 10), random.Random(1000 * len(part) + i)
            pixels += bytes(pattern.randrange(128) + noise.randrange(128) for _ in range(784))
        write_idx(os.path.join(folder, f"{part}-images-idx3-ubyte"), (count, 28, 28), pixels)
        write_idx(os.path.join(folder, f"{part}-labels-idx1-ubyte"), (count,), bytes(i % 10 for i in range(count)))


def write_idx(path, sizes, values):
    with open(path, "wb") as f:
        f.write(struct.pack(f">HBB{len(sizes)}I", 0, 8, len(sizes), *sizes) + bytes(values))


def read_checkpoint(path):
    with open(path, "rb") as f:
        content = f.read()
    size = struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8:8 + size]), content[8 + size:]


def checkpoints(run):
    try:
        return sorted(n for n in os.listdir(os.path.join(run, "checkpoints")) if re.fullmatch(r"step-\d+\.safetensors", n))
    except OSError:
        return []


def newest_step(run):
    names = checkpoints(run)
    return int(names[-1][5:-12]) if names else -1


def lines(run):
    try:
        with open(os.path.join(run, "metrics.jsonl")) as f:
            return f.read().count("\n")
    except OSError:
        return 0


def open_temporary(pid, run):
    """What the process has open in the checkpoints' folder: one is being written."""
    found = set()
    folder = os.path.join(run, "checkpoints")
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            at = os.readlink(f"/proc/{pid}/fd/{name}")
            if at.startswith(folder + "/"):
                found.add((at, os.stat(f"/proc/{pid}/fd/{name}").st_ino))
    except OSError:
        pass
    return found


def result(folder):
    """Tensors of the newest checkpoint, its state and the metrics, without times and paths."""
    header, body = read_checkpoint(os.path.join(folder, "checkpoints", checkpoints(folder)[-1]))
    state = json.loads(header.pop("__metadata__")["signstep.state"])
    for key in ("output", "data"):
        state["config"].pop(key)
    with open(os.path.join(folder, "metrics.jsonl")) as f:
        metrics = [json.loads(line) for line in f]
    for record in metrics + state["metrics"] + [state]:
        record.pop("train_seconds", None)
        record.pop("images_per_second", None)
    return header, body, state, metrics


def comparison(folder):
    """Results of all runs of a comparison, and its table without times."""
    runs = {}
    for at, _, files in os.walk(folder):
        if "metrics.jsonl" in files:
            runs[os.path.relpath(at, folder)] = result(at)
    with open(os.path.join(folder, "table.csv")) as f:
        table = list(csv.reader(f))
    timed = {i for i, head in enumerate(table[0]) if re.search("second|hour|speed|time|images", head)}
    return runs, [[cell for i, cell in enumerate(line) if i not in timed] for line in table]
