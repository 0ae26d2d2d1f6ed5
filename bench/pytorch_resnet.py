#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The PyTorch side of `signstep bench train`: plain training of its ResNets at PyTorch's best setting: on a CPU as it is,
on a CUDA device compiled.

Reads weights, which say what network it is, and one batch from a safetensors file, prints one JSON line with the loss at
those weights, then for every line "N" on standard input trains N steps and prints the seconds they took. Alone, a
ResNet-18 of random weights: pytorch_resnet.py --steps 5.
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


class GroupNorm(nn.GroupNorm):
    """In the input's type: PyTorch 1.13 refuses bfloat16 images beside float weights."""

    def forward(self, x):
        return F.group_norm(x, self.num_groups, self.weight.to(x.dtype), self.bias.to(x.dtype), self.eps)


def norm_of(kind, channels):
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return GroupNorm(max(g for g in range(1, 33) if channels % g == 0), channels)


class Block(nn.Module):
    """projection: whether a shortcut between unlike sizes is a convolution; else it pads channels with zeros."""

    def __init__(self, inputs, outputs, stride, norm, projection):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = norm_of(norm, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = norm_of(norm, outputs)
        self.stride, self.padded = stride, outputs - inputs
        self.downsample = None
        if projection and (stride != 1 or inputs != outputs):
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), norm_of(norm, outputs))

    def shortcut(self, x):
        if self.downsample is not None:
            return self.downsample(x)
        if self.padded == 0:
            return x
        return F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, 0, self.padded))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        y += self.shortcut(x)
        return F.relu(y, inplace=True)


class ResNet(nn.Module):
    """With the stem for small images. stages: blocks of each."""

    def __init__(self, stages, projection, norm, width, channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.bn1 = norm_of(norm, width)
        inputs, layers = width, []
        for stage, blocks in enumerate(stages):
            outputs = width << stage
            layers.append(nn.Sequential(*[
                Block(outputs if b else inputs, outputs, 2 if stage and not b else 1, norm, projection)
                for b in range(blocks)]))
            setattr(self, f"layer{stage + 1}", layers[-1])
            inputs = outputs
        self.fc = nn.Linear(inputs, classes)
        self.stages = len(stages)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


def network_of(tensors, norm):
    """The network whose weights these are."""
    places = {tuple(int(n) for n in name[len("layer"):].split(".")[:2]) for name in tensors if name.startswith("layer")}
    stages = [1 + max(b for s, b in places if s == stage) for stage in sorted({s for s, _ in places})]
    width, channels = tensors["conv1.weight"].shape[:2]
    projection = any(".downsample." in name for name in tensors)
    net = ResNet(stages, projection, norm, width, channels, tensors["fc.bias"].shape[0])
    lacking = net.load_state_dict(tensors, strict=False)
    own = [name for name in lacking.missing_keys if "running_" not in name and "num_batches" not in name]
    if own or lacking.unexpected_keys:
        sys.exit(f"no network of this script: {own} are not in the file, {lacking.unexpected_keys} are only there")
    return net


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
    parser.add_argument("--norm", choices=["batch", "group"], default="batch")
    parser.add_argument("--width", type=int, default=64, help="where no file is given")
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
        net = network_of(tensors, options.norm)
    else:
        images, labels = torch.randn(options.batch, 3, 32, 32), torch.randint(0, 10, (options.batch,))
        net = ResNet([2, 2, 2, 2], True, options.norm, options.width, 3, 10)
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
