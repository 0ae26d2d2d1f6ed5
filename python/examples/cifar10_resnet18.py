# SPDX-License-Identifier: Apache-2.0
"""ResNet-18 on CIFAR-10 in plain PyTorch, AdamW beside Lion, Signum and the dithered switch:

    PYTHONPATH=build/python python3 python/examples/cifar10_resnet18.py --data cifar-10-batches-bin
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from methods import METHODS, schedule, tell_event
from resnet18 import ResNet18

RECORD = 1 + 3 * 32 * 32  # label, red, green, blue
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def read(folder: Path, pattern: str) -> tuple[Tensor, Tensor]:
    files = sorted(folder.glob(pattern))
    if not files:
        raise SystemExit(f"{folder} has no {pattern}; wanted the folder of CIFAR-10's binary version")
    data = bytearray(b"".join(file.read_bytes() for file in files))
    records = torch.frombuffer(data, dtype=torch.uint8).reshape(-1, RECORD)
    images = records[:, 1:].reshape(-1, 3, 32, 32).float() / 255
    mean, deviation = (torch.tensor(v).reshape(3, 1, 1) for v in (MEAN, DEVIATION))
    return (images - mean) / deviation, records[:, 0].long()


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """A crop of the picture padded by 4, and a coin for its mirror image."""
    out = torch.empty_like(images)
    padded = F.pad(images, (4, 4, 4, 4))
    for i, image in enumerate(padded):
        y, x, flip = torch.randint(0, 18, (3,), generator=generator).tolist()
        crop = image[:, y % 9 : y % 9 + 32, x % 9 : x % 9 + 32]
        out[i] = crop.flip(2) if flip % 2 else crop
    return out


@torch.no_grad()
def accuracy(model: torch.nn.Module, images: Tensor, labels: Tensor) -> float:
    model.eval()
    right = sum(int((model(x).argmax(1) == y).sum()) for x, y in zip(images.split(500), labels.split(500)))
    model.train()
    return 100 * right / len(labels)


def train(method: str, arguments: argparse.Namespace, training: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(arguments.seed)
    generator = torch.Generator().manual_seed(arguments.seed)
    model = ResNet18(width=arguments.width)
    batches = len(training[1]) // arguments.batch
    steps = arguments.epochs * batches
    optimizer = METHODS[method](model.parameters(), steps)
    rates = schedule(optimizer, steps)
    for epoch in range(arguments.epochs):
        order = torch.randperm(len(training[1]), generator=generator)
        total = 0.0
        for chosen in order[: batches * arguments.batch].split(arguments.batch):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(augmented(training[0][chosen], generator)), training[1][chosen])
            loss.backward()
            optimizer.step()
            rates.step()
            tell_event(optimizer)
            total += loss.item()
        print(f"{method}: epoch {epoch + 1}, loss {total / batches:.4f}, test {accuracy(model, *test):.2f} %", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    training, test = read(arguments.data, "data_batch_*.bin"), read(arguments.data, "test_batch.bin")
    for method in arguments.methods:
        train(method, arguments, training, test)


if __name__ == "__main__":
    main()
