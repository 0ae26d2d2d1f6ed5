# SPDX-License-Identifier: Apache-2.0
"""Majority vote in DistributedDataParallel: gradients travel as one bit a coordinate.

    optimizer = signstep.SignSGD(model.parameters(), lr, momentum=0)
    vote = signstep.MajorityVote(optimizer, momentum=0.9)
    model.register_comm_hook(vote, signstep.majority_vote_hook)

signSGD with majority vote: Bernstein et al. 2018, arXiv 1802.04434, section 6.
"""

from __future__ import annotations

import warnings
import zlib
from typing import Any, Optional

import torch
import torch.distributed as dist
from torch import Tensor

from signstep import _library
from signstep._bits import complement, majority, pack, unpack, word_count
from signstep._core import Core
from signstep._library import Draw
from signstep._state import SAVED
from signstep.optimizer import SignOptimizer
from signstep.options import Dither, sign_rule, stated
from signstep.rules import SignSGD


class MajorityVote:
    """What a rank keeps for the hook: m and the draws of its dither, by parameter, as DDP rebuilds its buckets.

    Each rank moves m = b m + (1 - b) g of its own gradients, takes s = sign(m), dithered on request, and votes; every
    gradient becomes the majority's sign, +1 or -1, of which the optimizer takes a plain step. 0, NaN and infinity vote by
    coin, a tie is a coin that all ranks draw alike. A step's message is every rank's bits to every rank, n / 8 bytes.
    Gradients are accumulated under model.no_sync() alone, else the first micro-batch decides (a warning, once). A rank that
    model.join() has let go, and a parameter that a rank did not use, go on voting by the average that is left, or by coin.

    optimizer: SignSGD without momentum, dither or switch of its own (else ValueError), of every parameter of the model.
    momentum: b, [0, 1). seed, total_steps: as the optimizers have them; one seed, and one order of parameters,
    for all ranks: another is refused at a vote, by a ValueError that DDP makes a RuntimeError of.
    """

    _voted_at = -1  # steps that the optimizer had taken at the last vote
    _warned = False  # of accumulation

    def __init__(
        self,
        optimizer: SignOptimizer,
        momentum: float = 0.9,
        *,
        dither: Optional[Dither] = None,
        seed: int = 0,
        total_steps: int = 0,
        process_group: Any = None,
    ) -> None:
        own = optimizer.options if isinstance(optimizer, SignSGD) else {}
        if own.get("optimizer") != "signsgd" or own["dither"] != "none" or own["switch_when"] != "never":
            raise ValueError(
                "the vote has momentum and dither of its own and leaves signs; wanted an optimizer "
                "signstep.SignSGD(params, lr, momentum=0) without dither and switch; give momentum and dither to "
                "MajorityVote"
            )
        options = stated(
            {**sign_rule(momentum), "zero": "random", "seed": seed, "total_steps": total_steps}, dither, None
        )
        if dither is not None and dither.on in ("post", "mean"):
            raise ValueError(f"dither on {dither.on!r} is more than one bit; wanted 'update' or 'gradient'")
        self._optimizer = optimizer
        self.process_group = process_group
        self._core = Core(options, len(self._parameters()))
        self._m: dict[Tensor, Tensor] = {}
        self._maximum: dict[Tensor, Tensor] = {}
        self._waiting: list[tuple[Any, Any]] = []
        self.nonfinite = 0  # coordinates that were NaN or infinite at the last step, over all ranks

    def __getstate__(self) -> dict[str, Any]:
        """For copies of a model that holds it: without the group, which is a process's own, and what was under way."""
        return {**self.__dict__, "process_group": None, "_waiting": []}

    def _parameters(self) -> list[Tensor]:
        return [p for group in self._optimizer.param_groups for p in group["params"]]

    def state_dict(self) -> dict[str, Any]:
        """This rank's averages in the order of the optimizer's parameters, and the numbers of the state."""
        parameters = self._parameters()
        return {
            SAVED: self._core.state(),
            "m": [self._m.get(p) for p in parameters],
            "maximum": [self._maximum.get(p) for p in parameters],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """ValueError, and nothing is changed, for the state of other options or parameters."""
        parameters = self._parameters()
        if lacking := [name for name in (SAVED, "m", "maximum") if name not in state]:
            raise ValueError(f"this is no state of a MajorityVote, as it has no {lacking[0]!r}; wanted what its state_dict() gave")
        for name in ("m", "maximum"):
            seen = [None if a is None else a.numel() for a in state[name]]
            if len(seen) != len(parameters) or any(n not in (None, p.numel()) for n, p in zip(seen, parameters)):
                raise ValueError(f"the {name} in the state are not of these parameters; wanted the saved ones, in their order")
        core = Core(self._core.given, len(parameters))
        core.restore(state[SAVED])
        self._core = core
        for name, own in (("m", self._m), ("maximum", self._maximum)):
            own.clear()
            for p, a in zip(parameters, state[name]):  # as the kernels read them, wherever they were loaded to
                if a is not None:
                    own[p] = a.detach().to("cpu", torch.float32, copy=True).reshape(-1).contiguous()

    def take(self, bucket: Any) -> torch.futures.Future[Tensor]:
        """A bucket's gradients wait for the last bucket; then all vote in one message."""
        future: torch.futures.Future[Tensor] = torch.futures.Future()
        self._waiting.append((bucket, future))
        if bucket.is_last():
            waiting, self._waiting = self._waiting, []
            self._vote({p: g for b, _ in waiting for p, g in zip(b.parameters(), b.gradients())})
            for one, done in waiting:
                done.set_result(one.buffer())
        return future

    @torch.no_grad()
    def _vote(self, gradients: dict[Tensor, Tensor]) -> None:
        parameters = self._parameters()
        number = {p: i for i, p in enumerate(parameters)}
        if unknown := sum(p not in number for p in gradients):
            raise ValueError(f"{unknown} parameters of the model are not the optimizer's; wanted all of them")
        if len(self._core.tensors) != len(parameters):
            self._core.grow(len(parameters))
        self._warn_of_accumulation(gradients)
        step, rank = self._core.steps, dist.get_rank(self.process_group)
        seed = self._core.options["seed"]
        self._core.set_rank(rank)
        stepped = self._signs(parameters, gradients)
        bits = [
            complement(pack(x, Draw(seed, step, i, rank)), x.numel()) for i, x in stepped.items()
        ]  # x = -s, or 0 where there was no step: a coin, as fair when it is turned around
        sizes = [word_count(x.numel()) for x in stepped.values()]
        order = zlib.crc32(repr([number[p] for p in gradients]).encode())  # of this list against DDP's, which all share
        votes = self._gather(torch.cat([*bits, torch.tensor([seed, step, order, self._nonfinite], device="cpu")]))
        for other, (its_seed, its_step, its_order) in enumerate(votes[:, -4:-1].tolist()):
            if (its_seed, its_step) != (seed, step):
                raise ValueError(
                    f"rank {other} votes with seed {its_seed} at step {its_step}, rank {rank} with seed {seed} at step {step}; "
                    "wanted one seed and one step, as all draw the coins of ties alike: give every MajorityVote the same "
                    "seed, and load a state on all ranks"
                )
            if its_order != order:
                raise ValueError(
                    f"rank {other}'s optimizer has the parameters in another order than rank {rank}'s; wanted one order, as "
                    "the votes are counted place by place: give every optimizer the same list, such as model.parameters()"
                )
        self.nonfinite = int(votes[:, -1].sum())
        decided = majority(votes[:, :-4].contiguous(), Draw(seed, step, 0, 0))
        for (i, x), words in zip(stepped.items(), torch.split(decided, sizes)):
            g = gradients[parameters[i]]
            g.copy_(unpack(words.contiguous(), x.numel()).reshape(g.shape))

    def _warn_of_accumulation(self, gradients: dict[Tensor, Tensor]) -> None:
        """A bucket holds the gradient that is there plus the new one: after a vote +-1 plus what is far smaller."""
        steps = self._optimizer._core.steps
        if steps == self._voted_at and not self._warned:
            near = sum(int(((g.abs() - 1).abs() < 0.5).sum()) for g in gradients.values())
            if near > 0.9 * sum(g.numel() for g in gradients.values()):
                self._warned = True
                warnings.warn(
                    "two votes without optimizer.step() between them, and the gradients hold the first one's signs, which "
                    "outweigh all that comes after; accumulate under model.no_sync(), so that the sum is voted on",
                    stacklevel=2,
                )
        self._voted_at = steps

    def _signs(self, parameters: list[Tensor], gradients: dict[Tensor, Tensor]) -> dict[int, Tensor]:
        """By a parameter's number: -s of this rank, from a step at rate 1 from x = 0."""
        core, buffers = self._core, self._core.buffers()
        stepped, held = {}, []
        for i, p in enumerate(parameters):
            tensor = core.tensors[i]
            tensor.n, tensor.lr, tensor.decay = 0, 1.0, 0.0
            if p not in gradients or p.numel() == 0:
                continue
            g = gradients[p].detach().to("cpu", torch.float32).contiguous().reshape(-1)
            x = torch.zeros_like(g)
            held.append(g)
            tensor.n, tensor.x, tensor.g = g.numel(), x.data_ptr(), g.data_ptr()
            tensor.m = self._array(self._m, p, x).data_ptr() if buffers & _library.M else None
            tensor.maximum = self._array(self._maximum, p, x).data_ptr() if buffers & _library.MAXIMUM else None
            stepped[i] = x
        _library.set_threads(torch.get_num_threads())
        self._nonfinite = core.step(None).nonfinite
        return stepped

    @staticmethod
    def _array(arrays: dict[Tensor, Tensor], p: Tensor, like: Tensor) -> Tensor:
        if p not in arrays:
            arrays[p] = torch.zeros_like(like)
        if arrays[p].shape != like.shape:
            raise ValueError(
                f"a parameter has {like.numel()} elements and had {arrays[p].numel()}; wanted the same ones; make a new "
                "MajorityVote"
            )
        return arrays[p]

    def _gather(self, message: Tensor) -> Tensor:
        """(ranks, words), in the order of ranks; over the device that the group's backend takes."""
        size = dist.get_world_size(self.process_group)
        device = torch.device("cuda") if dist.get_backend(self.process_group) == "nccl" else torch.device("cpu")
        own = message.to(device)
        votes = [torch.empty_like(own) for _ in range(size)]
        dist.all_gather(votes, own, group=self.process_group)
        return torch.stack(votes).cpu()


def majority_vote_hook(state: MajorityVote, bucket: Any) -> torch.futures.Future[Tensor]:
    """For DistributedDataParallel.register_comm_hook. Gradients of other types than float32 are voted on in float32; those
    on other devices by way of the host."""
    return state.take(bucket)


if dist.is_available():  # DDP compares the types themselves, not their names
    majority_vote_hook.__annotations__.update(
        {"bucket": getattr(dist, "GradBucket"), "return": torch.futures.Future[torch.Tensor]}
    )
