#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One optimizer step in Python, signstep's beside others': PYTHONPATH=build/python python3 bench/python_step.py

The two of a pair step the same parameters along the same gradients. Where both are the same rule, their values are
compared after three steps of new gradients; then they are timed in turn, round after round, and the ratio is the median
over the rounds of theirs / ours, with the smallest and the largest. Bandwidth counts the bytes that the rule must move (a copy's: 8 a
number). Run it while nothing else runs. Pairs whose package is not there are named and left out.
"""
import argparse
import importlib
import statistics
import sys
import time
import warnings
from pathlib import Path

import torch

import signstep

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "examples"))
from resnet18 import ResNet18  # noqa: E402

LR, DECAY = 1e-3, 0.05


def resnet18():
    return [p.shape for p in ResNet18().parameters()]  # 62 tensors, 11.2 million numbers


def gpt2_small():
    """124 million numbers in 148 tensors (Radford et al. 2019)."""
    block = [(768,), (768,), (768, 2304), (2304,), (768, 768), (768,), (768,), (768,), (768, 3072), (3072,), (3072, 768), (768,)]
    return [(50257, 768), (1024, 768)] + 12 * block + [(768,), (768,)]


class EagerDither:
    """Signum with relative dither as one writes it in PyTorch: noise, sign, step."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.m = [torch.zeros_like(p) for p in parameters]

    @torch.no_grad()
    def step(self):
        for p, m in zip(self.parameters, self.m):
            m.mul_(0.9).add_(p.grad, alpha=0.1)
            sigma = m.square().mean().sqrt()
            p.mul_(1 - LR * DECAY).add_(torch.sign(m + sigma * torch.randn_like(m)), alpha=-LR)


class Compiled:
    """Signum by foreach operations, compiled by torch.compile."""

    def __init__(self, parameters):
        self.x, self.g = [p.detach() for p in parameters], [p.grad for p in parameters]
        self.m = [torch.zeros_like(x) for x in self.x]

        def step(x, g, m):
            torch._foreach_lerp_(m, g, 0.1)
            torch._foreach_mul_(x, 1 - LR * DECAY)
            torch._foreach_add_(x, torch._foreach_sign(m), alpha=-LR)

        self.compiled = torch.compile(step)

    @torch.no_grad()
    def step(self):
        self.compiled(self.x, self.g, self.m)


class Copy:
    """What memory gives: every number copied once."""

    def __init__(self, parameters):
        self.source = torch.zeros(sum(p.numel() for p in parameters), device=parameters[0].device)
        self.target = torch.ones_like(self.source)

    def step(self):
        self.target.copy_(self.source)


def package(name, make):
    def made(parameters):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return make(importlib.import_module(name), parameters)

    return made


def signum(p):
    return signstep.Signum(p, LR, decoupled_weight_decay=DECAY)


def lion(p):
    return signstep.Lion(p, LR, decoupled_weight_decay=DECAY)


def dithered(p):
    return signstep.Signum(p, LR, decoupled_weight_decay=DECAY, dither=signstep.Dither(shape="constant"))


# name of ours, what it moves in bytes a number, ours; name of theirs, theirs; whether both are one rule
PAIRS = [
    ("Signum", 20, signum, "a copy", Copy, False),
    ("Signum", 20, signum, "SGD, momentum", lambda p: torch.optim.SGD(p, LR, 0.9), False),
    ("Signum", 20, signum, "AdamW, foreach", lambda p: torch.optim.AdamW(p, LR, foreach=True), False),
    ("Signum", 20, signum, "AdamW, fused", lambda p: torch.optim.AdamW(p, LR, fused=True), False),
    ("Signum", 20, signum, "Signum, pytorch_optimizer",
     package("pytorch_optimizer", lambda m, p: m.SignSGD(p, LR, momentum=0.9, weight_decay=DECAY)), True),
    ("Signum", 20, signum, "Signum, torch.compile", Compiled, True),
    ("Lion", 20, lion, "Lion, lion-pytorch",
     package("lion_pytorch", lambda m, p: m.Lion(p, LR, betas=(0.9, 0.99), weight_decay=DECAY)), True),
    ("dithered Signum", 20, dithered, "dithered Signum, eager", EagerDither, False),
]


def parameters_of(shapes, gradients):
    torch.manual_seed(0)
    parameters = [torch.nn.Parameter(torch.randn(shape)) for shape in shapes]
    for p, g in zip(parameters, gradients):
        p.grad = g
    return parameters


def new_gradients(*lists):
    """The same in all of them. A rule is known by what it makes of gradients that change their signs."""
    for parameters in zip(*lists):
        g = torch.randn(parameters[0].shape)
        for p in parameters:
            p.grad.copy_(g)  # in place: some hold on to the tensor


def verify(ours, theirs, mine, other, one_rule, what):
    """Three steps of each; of one rule to the same values, but for averages within rounding of 0. Leaves gradients."""
    before = [p.detach().clone() for p in mine]
    for _ in range(3):
        new_gradients(mine, other)
        ours.step()
        theirs.step()
    moved = sum(int((p != q).sum()) for p, q in zip(mine, before)) / sum(p.numel() for p in mine)
    apart = sum(int(((p - q).abs() > LR / 2).sum()) for p, q in zip(mine, other)) / sum(p.numel() for p in mine)
    if moved < 0.99 or (one_rule and apart > 1e-5):
        sys.exit(f"python_step: {what}: {moved:.3f} of the numbers moved, {apart:.2e} are apart; nothing is timed")


def seconds(optimizer, steps):
    begin = time.perf_counter()
    for _ in range(steps):
        optimizer.step()
    return (time.perf_counter() - begin) / steps


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=["resnet18", "gpt2", "both"], default="both")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each side in each round, at least one step")
    parser.add_argument("--only", default="", help="pairs whose names hold this text")
    arguments = parser.parse_args()

    print(f"PyTorch {torch.__version__}, signstep {signstep.__version__}, {torch.get_num_threads()} threads")
    for name, shapes in (("resnet18", resnet18()), ("gpt2", gpt2_small())):
        if arguments.model not in (name, "both"):
            continue
        count = sum(torch.Size(shape).numel() for shape in shapes)
        print(f"{name}: {len(shapes)} tensors, {count / 1e6:.1f} million numbers")
        torch.manual_seed(1)
        gradients = [torch.randn(shape) for shape in shapes]
        for ours_name, moved, make_ours, theirs_name, make_theirs, one_rule in PAIRS:
            what = f"{ours_name} against {theirs_name}"
            if arguments.only not in what:
                continue
            mine, other = parameters_of(shapes, gradients), parameters_of(shapes, gradients)
            try:
                ours, theirs = make_ours(mine), make_theirs(other)
                verify(ours, theirs, mine, other, one_rule, what)
            except (ImportError, AttributeError, RuntimeError, TypeError) as error:
                print(f"  {what}: left out, {error}")
                continue
            steps = [max(1, int(arguments.seconds / seconds(side, 2))) for side in (ours, theirs)]
            rounds = [(seconds(ours, steps[0]), seconds(theirs, steps[1])) for _ in range(arguments.rounds)]
            own = statistics.median(a for a, _ in rounds)
            line = f"  {what}: {spread([b / a for a, b in rounds], 2)} times ours, {own * 1e3:.2f} ms, {moved * count / own / 1e9:.1f} GB/s"
            if make_theirs is Copy:
                share = [(moved * count / a) / (8 * count / b) for a, b in rounds]
                line += f"; {spread(share, 2)} of a copy's bandwidth"
            print(line, flush=True)


if __name__ == "__main__":
    main()
