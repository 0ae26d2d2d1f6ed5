#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One optimizer step on a CUDA device, signstep's kernels beside others': PYTHONPATH=build/python python3 bench/cuda_step.py

Each rule first steps three times and is held, bit for bit, against the same steps on the CPU; then it is timed in turn with a
copy on the device and with the others, round after round. Of ours there are two times: a replay of a CUDA graph of the
launch, which is the kernel, and optimizer.step(), which Python and one wait are part of. Others are replayed where they can
be captured. Bandwidth counts the bytes that a rule must move; a copy moves 8 a number. What is not there is named.
"""
import argparse
import statistics
import sys
import time
from pathlib import Path

import torch

import signstep
from signstep._library import check, library

sys.path.insert(0, str(Path(__file__).resolve().parent))
from python_step import DECAY, LR, Compiled, Copy, gpt2_small, new_gradients, resnet18, spread  # noqa: E402

WARM = 3


def dithered(p):
    return signstep.Signum(p, LR, decoupled_weight_decay=DECAY, dither=signstep.Dither("absolute", level=1.0, shape="constant"))


# name, bytes a number, how it is made
OURS = [
    ("SignSGD", 12, lambda p: signstep.SignSGD(p, LR, 0, decoupled_weight_decay=DECAY)),
    ("Signum", 20, lambda p: signstep.Signum(p, LR, decoupled_weight_decay=DECAY)),
    ("dithered Signum", 20, dithered),
    ("relative dither", 20, lambda p: signstep.Signum(p, LR, dither=signstep.Dither(shape="constant"))),
]


def lion_pytorch(parameters):
    from lion_pytorch import Lion

    return Lion(parameters, LR, weight_decay=DECAY, use_triton=True)


OTHERS = [
    ("torch SGD, momentum, fused", 20, lambda p: torch.optim.SGD(p, LR, 0.9, fused=True)),
    ("torch AdamW, fused", 28, lambda p: torch.optim.AdamW(p, LR, fused=True, capturable=True)),
    ("Signum, torch.compile", 20, Compiled),
    ("Lion, lion-pytorch's Triton", 20, lion_pytorch),
]


def parameters_of(shapes, gradients, device):
    torch.manual_seed(0)
    parameters = [torch.nn.Parameter(torch.randn(shape).to(device)) for shape in shapes]
    for p, g in zip(parameters, gradients):
        p.grad = g.to(device)
    return parameters


def verify(make, name):
    """Whether three steps of resnet18 along new gradients have the CPU's bits; else the benchmark ends."""
    shapes = resnet18()
    gradients = [torch.zeros(shape) for shape in shapes]
    on_cpu, there = parameters_of(shapes, gradients, "cpu"), parameters_of(shapes, gradients, "cuda")
    one, other = make(on_cpu), make(there)
    for _ in range(3):
        new_gradients(on_cpu, there)
        one.step()
        other.step()
    for i, (p, q) in enumerate(zip(on_cpu, there)):
        apart = int((p.detach().view(torch.int32) != q.detach().cpu().view(torch.int32)).sum())
        if apart:
            sys.exit(f"cuda_step: {name}: {apart} of {p.numel()} numbers of parameter {i} have other bits than the CPU's")


def captured(work):
    """A function that replays work(), captured into a CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()

    def replay(keep=work):  # its tensors must outlive the graph
        graph.replay()

    return replay


def launch_of(optimizer):
    """What the last step launched, without the rest of it."""
    ((_, steps),) = optimizer._cuda._steps.items()

    def launch(keep=optimizer):
        check(library.signstep_cuda_launch(steps.handle, torch.cuda.current_stream().cuda_stream))

    return launch


def seconds(work, times):
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(times):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - begin) / times


def contenders(shapes, gradients):
    """name, bytes a number, work; in the order of the table."""
    copy = Copy(parameters_of(shapes, gradients, "cuda"))
    yield "a copy on the device", 8, copy.step
    yield "a copy on the device, graph", 8, captured(copy.step)
    for name, moved, make in OURS:
        optimizer = make(parameters_of(shapes, gradients, "cuda"))
        optimizer.step()
        optimizer.step()  # the second does what all others do
        yield f"signstep {name}, graph", moved, captured(launch_of(optimizer))
        yield f"signstep {name}, step()", moved, make(parameters_of(shapes, gradients, "cuda")).step
    for name, moved, make in OTHERS:
        if make is Compiled and len(shapes) > 100:
            print(f"  {name}: left out, compiling {len(shapes)} tensors takes minutes", flush=True)
            continue
        try:
            optimizer = make(parameters_of(shapes, gradients, "cuda"))
            for _ in range(WARM):
                optimizer.step()
        except Exception as error:  # of any of their packages
            print(f"  {name}: left out, {str(error).splitlines()[0]}")
            continue
        try:
            yield f"{name}, graph", moved, captured(optimizer.step)
        except Exception as error:
            print(f"  {name}: no graph, {str(error).splitlines()[0]}")
            torch.cuda.synchronize()
        yield f"{name}, step()", moved, optimizer.step


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.05, help="of each in each round")
    parser.add_argument("--model", choices=["resnet18", "gpt2", "large", "all"], default="all")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("cuda_step: PyTorch sees no CUDA device; nothing is timed")
    if why := signstep.cuda_kernels(0):
        sys.exit(f"cuda_step: {why}")

    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}, signstep {signstep.__version__}")
    for name, _, make in OURS:
        verify(make, name)
    print("every rule of ours: three steps of resnet18 with the bits of the CPU's")
    models = [("resnet18", resnet18()), ("gpt2", gpt2_small()), ("large", [(100_000_000,)])]
    for model, shapes in models:
        if arguments.model not in (model, "all"):
            continue
        count = sum(torch.Size(shape).numel() for shape in shapes)
        print(f"{model}: {len(shapes)} tensors, {count / 1e6:.1f} million numbers")
        torch.manual_seed(1)
        gradients = [torch.randn(shape) for shape in shapes]
        # All are made before any is timed, so that each round holds every one: some 25 GB of the device with the largest.
        running = [(name, moved, work, max(3, int(arguments.seconds / seconds(work, WARM))))
                   for name, moved, work in contenders(shapes, gradients)]
        rounds = [[seconds(work, times) for _, _, work, times in running] for _ in range(arguments.rounds)]
        for (name, moved, _, _), times in zip(running, zip(*rounds)):
            share = [(moved / one) / (8 / min(copies[:2])) for one, copies in zip(times, rounds)]  # the faster copy's
            print(
                f"  {name:36} {spread([1e3 * one for one in times], 3)} ms, "
                f"{moved * count / statistics.median(times) / 1e9:.0f} GB/s, {spread(share, 2)} of a copy's bandwidth",
                flush=True,
            )
        del running
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
