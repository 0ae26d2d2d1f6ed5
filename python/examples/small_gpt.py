# SPDX-License-Identifier: Apache-2.0
"""A small GPT on the bytes of a text file, AdamW beside Lion, Signum and the dithered switch:

    PYTHONPATH=build/python python3 python/examples/small_gpt.py --text book.txt

The last tenth of the text is held out; its loss is in bits a byte.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods import METHODS, schedule, tell_event

BYTES = 256


class Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.perceptron = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attention(y, y, y, attn_mask=mask, need_weights=False)[0]
        return x + self.perceptron(self.norm2(x))


class SmallGPT(nn.Module):
    """Blocks with the norm first (Radford et al. 2019), bytes in, logits of the next byte out."""

    def __init__(self, width: int, layers: int, heads: int, context: int) -> None:
        super().__init__()
        self.byte, self.place = nn.Embedding(BYTES, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, BYTES, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        n = tokens.shape[1]
        x = self.byte(tokens) + self.place(torch.arange(n))
        mask = torch.ones(n, n, dtype=torch.bool).triu(1)
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.norm(x))


def loss_of(model: nn.Module, text: Tensor, starts: Tensor, context: int) -> Tensor:
    pieces = torch.stack([text[s : s + context + 1] for s in starts.tolist()]).long()
    return F.cross_entropy(model(pieces[:, :-1]).flatten(0, 1), pieces[:, 1:].flatten())


@torch.no_grad()
def bits_a_byte(model: nn.Module, text: Tensor, context: int) -> float:
    starts = torch.arange(0, len(text) - context, context)[:200]
    model.eval()
    loss = sum(loss_of(model, text, part, context).item() * len(part) for part in starts.split(20)) / len(starts)
    model.train()
    return loss / math.log(2)


def train(method: str, arguments: argparse.Namespace, text: Tensor) -> None:
    torch.manual_seed(arguments.seed)
    generator = torch.Generator().manual_seed(arguments.seed)
    held = len(text) // 10
    training, test = text[:-held], text[-held:]
    model = SmallGPT(arguments.width, arguments.layers, arguments.heads, arguments.context)
    optimizer = METHODS[method](model.parameters(), arguments.steps)
    rates = schedule(optimizer, arguments.steps)
    for step in range(arguments.steps):
        starts = torch.randint(0, len(training) - arguments.context, (arguments.batch,), generator=generator)
        optimizer.zero_grad()
        loss = loss_of(model, training, starts, arguments.context)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rates.step()
        tell_event(optimizer)
        if (step + 1) % max(1, arguments.steps // 5) == 0:
            seen = bits_a_byte(model, test, arguments.context)
            print(f"{method}: step {step + 1}, loss {loss.item():.4f}, held out {seen:.4f} bits a byte", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    for name, value in (("steps", 1000), ("batch", 32), ("context", 128), ("width", 128), ("layers", 4), ("heads", 4), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    arguments = parser.parse_args()
    text = torch.frombuffer(bytearray(arguments.text.read_bytes()), dtype=torch.uint8)
    if len(text) < 20 * (arguments.context + 1):
        raise SystemExit(f"{arguments.text} has {len(text)} bytes; wanted at least {20 * (arguments.context + 1)}")
    for method in arguments.methods:
        train(method, arguments, text)


if __name__ == "__main__":
    main()
