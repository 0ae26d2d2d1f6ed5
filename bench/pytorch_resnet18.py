#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The PyTorch side of `signstep bench train`: plain ResNet-18 training at PyTorch's best setting: on a CPU as it is, on a
CUDA device compiled.

Reads weights and one batch from a safetensors file, prints one JSON line with the loss at those weights, then for every
line "N" on standard input trains N steps and prints the seconds they took. Alone: pytorch_resnet18.py --steps 5.
"""
import argparse
import json
import struct
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return F.relu(y, inplace=True)


class ResNet18(nn.Module):
    def __init__(self, width, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        inputs = width
        for stage in range(4):
            outputs = width << stage
            blocks = [Block(inputs, outputs, 1 if stage == 0 else 2), Block(outputs, outputs, 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            inputs = outputs
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def read_safetensors(path):
    with open(path, "rb") as file:
        raw = file.read()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8:8 + length])
    data = memoryview(raw)[8 + length:]
    kinds = {"F32": np.float32, "I64": np.int64}
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            array = np.frombuffer(data[begin:end], kinds[entry["dtype"]]).reshape(entry["shape"]).copy()
            tensors[name] = torch.from_numpy(array)
    return tensors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", help="safetensors file with weights, images (n, h, w, c) and labels")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--batch", type=int, default=128, help="of random images, where no file is given")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--steps", type=int, default=0, help="time that many steps and end")
    options = parser.parse_args()
    if options.threads > 0:
        torch.set_num_threads(options.threads)

    torch.manual_seed(0)
    if options.file:
        tensors = read_safetensors(options.file)
        images = tensors.pop("images").permute(0, 3, 1, 2)
        labels = tensors.pop("labels")
        net = ResNet18(options.width, images.shape[1], tensors["fc.bias"].shape[0])
        net.load_state_dict(tensors, strict=False)
    else:
        images, labels = torch.randn(options.batch, 3, 32, 32), torch.randint(0, 10, (options.batch,))
        net = ResNet18(options.width, 3, 10)
    cuda = options.device == "cuda"
    images = images.contiguous(memory_format=torch.channels_last)
    if cuda:  # as a loader hands them over
        images, labels = images.pin_memory(), labels.pin_memory()
    net = net.to(options.device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9, **({"fused": True} if cuda else {}))
    if cuda:
        net = torch.compile(net, mode="reduce-overhead")  # which records CUDA graphs

    def step():
        optimizer.zero_grad(set_to_none=True)
        x, y = images.to(options.device, non_blocking=True), labels.to(options.device, non_blocking=True)
        with torch.autocast(options.device, dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            logits = net(x)
        loss = F.cross_entropy(logits.float(), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def timed(steps):
        begin = time.perf_counter()
        for _ in range(steps):
            step()
        return time.perf_counter() - begin

    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "loss": step()}), flush=True)
    if options.steps:
        print(f"{options.steps * len(labels) / timed(options.steps):.1f} images/s")
        return
    for line in sys.stdin:
        print(timed(int(line)), flush=True)


if __name__ == "__main__":
    main()
