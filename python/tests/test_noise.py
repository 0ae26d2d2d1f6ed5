# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

import signstep.noise
from signstep._descent import DescentSample


class Given(torch.nn.Module):
    """Its gradient is the batch."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.parts = torch.nn.ParameterList([torch.nn.Parameter(torch.zeros(n)) for n in sizes])
        self.register_buffer("seen", torch.zeros(1))


def loss_of(model: Given, batch: list) -> torch.Tensor:
    model.seen += 1
    return sum((p * g).sum() for p, g in zip(model.parts, batch))


def batches(count: int, gradient: float, law, sizes=(400, 50)):
    generator = torch.Generator().manual_seed(1)
    return [[gradient + law(n, generator) for n in sizes] for _ in range(count)]


def gaussian(n, generator):
    return torch.randn(n, generator=generator)


def skewed(n, generator):
    """+3.75 with probability 1/4, -1.25 with 3/4: mean 0."""
    return torch.where(torch.rand(n, generator=generator) < 0.25, torch.tensor(3.75), torch.tensor(-1.25))


def test_signal_noise_and_scale_are_those_that_were_put_in() -> None:
    model = Given(400, 50)
    noise = signstep.noise.measure(model, batches(200, 0.5, gaussian), loss_of, batch_size=32)
    assert noise.draws == 200
    big = noise.tensors[0]
    assert (big.name, big.coordinates) == ("parts.0", 400)
    # 400 coordinates of signal 0.25 and variance 1; standard errors 0.5 and 0.1 %.
    assert big.signal == pytest.approx(400 * 0.25, rel=0.05)
    assert big.noise == pytest.approx(400, rel=0.02)
    assert big.rms == pytest.approx(math.sqrt(1.25), rel=0.02)
    assert big.weak == 0
    assert noise.simple_noise_scale == pytest.approx(32 / 0.25, rel=0.06)
    # g E[sign] = 0.5 erf(0.5 / sqrt 2) a coordinate.
    assert big.progress[0] == pytest.approx(400 * 0.5 * math.erf(0.5 / math.sqrt(2)), rel=0.05)
    assert noise.advice().level is None
    table = noise.table().splitlines()
    assert len(table) == 5 and table[1].startswith("parts.0") and table[3].startswith("all")
    assert table[4] == f"simple noise scale {noise.simple_noise_scale:.0f} examples, from 200 batches"


def test_skewed_noise_gets_dither() -> None:
    """The mean is +1/4 and the sign walks downhill the wrong way three times in four."""
    noise = signstep.noise.measure(Given(400, 50), batches(300, 0.25, skewed), loss_of)
    advice = noise.advice()
    assert noise.tensors[0].progress[0] < 0 < max(noise.tensors[0].progress)
    assert advice.level is not None and advice.level >= 1
    assert advice.text.startswith(f"signstep.Dither(level={advice.level:g}) with momentum=0: without it signs walk uphill")


def test_nothing_of_the_model_is_changed() -> None:
    model = Given(400, 50)
    model.parts[0].grad = torch.ones(400)
    signstep.noise.measure(model, batches(4, 0.5, gaussian), loss_of)
    assert torch.equal(model.parts[0].grad, torch.ones(400)) and model.parts[1].grad is None
    assert model.seen.item() == 0 and model.parts[0].eq(0).all()


def test_a_buffer_that_the_model_replaces_is_put_back() -> None:
    class Counting(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(6, 2)
            self.register_buffer("calls", torch.tensor(0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls = self.calls + 1
            out: torch.Tensor = self.layer(x)
            return out

    model = Counting()
    calls = model.calls
    signstep.noise.measure(model, [torch.randn(8, 6) for _ in range(5)], lambda m, b: m(b).sum())
    assert model.calls is calls and calls.item() == 0


def test_a_sparse_gradient_is_named() -> None:
    model = torch.nn.Embedding(5, 2, sparse=True)
    with pytest.raises(TypeError, match="parameter 0 has a sparse gradient"):
        signstep.noise.measure(model, [torch.tensor([1])] * 5, lambda m, b: m(b).sum())


def test_no_signal_is_said() -> None:
    noise = signstep.noise.measure(Given(5), [[torch.tensor([1.0, -1, 1, -1, 1]) * (-1) ** k] for k in range(4)], loss_of)
    assert noise.simple_noise_scale == math.inf
    assert noise.advice().level is None and "cannot be told from so few batches" in noise.advice().text


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="3 batches were given; wanted at least 4"):
        signstep.noise.measure(Given(400, 50), batches(3, 0.5, gaussian), loss_of)
    with pytest.raises(ValueError, match="NaN or infinite"):
        signstep.noise.measure(Given(400, 50), batches(4, math.nan, gaussian), loss_of)
    with pytest.raises(ValueError, match="no parameter"):
        signstep.noise.measure(torch.nn.ReLU(), [], loss_of)


def test_what_never_has_a_gradient_is_in_no_share() -> None:
    """An embedding of which 5 of 1000 rows are in use, in pure noise, and a parameter that no loss uses."""
    model = torch.nn.ModuleDict({"words": torch.nn.Embedding(1000, 4), "unused": torch.nn.Linear(3, 1)})
    generator = torch.Generator().manual_seed(1)
    rows = torch.arange(5).repeat(4)

    def loss(model, scale):
        return (model["words"](rows) * scale).sum()

    noise = signstep.noise.measure(model, [torch.randn(20, 4, generator=generator) for _ in range(50)], loss)
    words, weight, bias = noise.tensors
    assert (words.silent, weight.silent, bias.silent) == (3980, 3, 1)
    assert words.weak > 0.9  # 50 draws tell ratios from 0.42 on
    lines = noise.table().splitlines()
    assert lines[2].split()[-2:] == ["-", "-"] and "3984 numbers had no gradient in any batch" in lines[-2]
    assert lines[4].split()[-2] == f"{100 * words.weak:.1f}"


def test_noise_that_dither_cannot_help_is_seldom_advised_dither() -> None:
    """Of 150 measurements of Gaussian noise; a level is advised at three standard errors, the best of six."""
    advised = 0
    for seed in range(150):
        generator = torch.Generator().manual_seed(seed)
        draws = [[0.05 + torch.randn(n, generator=generator) for n in (1000, 5)] for _ in range((4, 8, 20)[seed % 3])]
        advised += signstep.noise.measure(Given(1000, 5), draws, loss_of).advice().level is not None
    assert advised <= 5


def test_the_errors_are_those_of_repeated_measurements() -> None:
    """Of 2,000 numbers, a quarter of which are looked at, with a common part in their noise."""
    sums, errors, gains, gain_errors = [], [], [], []
    signal = torch.randn(2000, generator=torch.Generator().manual_seed(1)) * 0.3
    for seed in range(60):
        generator = torch.Generator().manual_seed(seed)
        draws = [[signal + torch.randn(2000, generator=generator) + 0.3 * torch.randn(1, generator=generator)] for _ in range(12)]
        noise = signstep.noise.measure(Given(2000), draws, loss_of)
        progress = noise.tensors[0].progress
        sums.append(progress[0])
        errors.append(noise.progress_errors[0])
        gains.append(progress[3] - progress[0])
        gain_errors.append(noise.gain_errors[3])
    for values, said in ((sums, errors), (gains, gain_errors)):
        spread = torch.tensor(values).std().item()
        assert 0.7 < (torch.tensor(said).square().mean().sqrt().item() / spread) < 1.6
    law = (signal.double() * torch.erf(signal.double() / math.sqrt(2 * 1.09))).sum().item()
    assert torch.tensor(sums).mean().item() == pytest.approx(law, rel=0.15)  # a quarter of the numbers, always the same


def test_a_share_is_told_where_the_draws_resolve_it() -> None:
    def weak(ratio: float, count: int) -> tuple:
        generator = torch.Generator().manual_seed(3)
        noise = signstep.noise.measure(Given(5000), [[ratio + torch.randn(5000, generator=generator)] for _ in range(count)], loss_of)
        return noise.tensors[0].weak, noise.table().splitlines()[0]

    for count, name in ((50, "below 0.42"), (1000, "below 0.1")):
        share, head = weak(0.0, count)
        assert share > 0.97 and head.endswith(name)
        assert weak(2 * max(0.1, 3 / math.sqrt(count)), count)[0] < 0.03


def test_the_sample_has_no_number_twice() -> None:
    places = DescentSample([512, 513, 700, 1023, 1, 100_000])._places
    assert [len(p) for p in places] == [512, 512, 512, 512, 1, 512]
    together = torch.cat(places)
    assert len(set(together.tolist())) == len(together) and together.max() < 512 + 513 + 700 + 1023 + 1 + 100_000
    assert (together[1:] > together[:-1]).all()
