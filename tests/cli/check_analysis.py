# SPDX-License-Identifier: Apache-2.0
"""One tensor of an analysis, computed again with NumPy: check_analysis.py ANALYSIS.json DUMP.safetensors

Reads the draws and the reference that `signstep analyze --dump` wrote and works out every figure of that tensor from the
definitions in docs/theory.md, two passes in extended precision. Ends with 0 when all agree to 1e-9 of their size.
"""
import json
import struct
import sys

import numpy as np

analysis_file, dump_file = sys.argv[1:]
with open(dump_file, "rb") as f:
    raw = f.read()
(length,) = struct.unpack("<Q", raw[:8])
header = json.loads(raw[8 : 8 + length])
name = header["__metadata__"]["signstep.tensor"]


def tensor(key):
    begin, end = header[key]["data_offsets"]
    flat = np.frombuffer(raw[8 + length + begin : 8 + length + end], dtype="<f4")
    return flat.reshape(header[key]["shape"]).astype(np.longdouble)


draws, g = tensor("draws"), tensor("reference")
k, n = draws.shape
with open(analysis_file) as f:
    analysis = json.load(f)["batches"][0]
entry = next(t for t in analysis["tensors"] if t["name"] == name)
rho2 = np.longdouble(analysis["reference_error"]) ** 2
independent = analysis["reference"] == "epoch"

off = draws - draws.mean(axis=0)
sigma2 = (off**2).sum(axis=0) / (k - 1)
sigma = np.sqrt(sigma2)
silent = (sigma == 0) & (g == 0)
live = ~silent
square = g**2 - rho2 * sigma2
magnitude = np.sqrt(np.maximum(square, 0))
with np.errstate(divide="ignore", invalid="ignore"):
    snr = np.where(magnitude == 0, 0, magnitude / sigma)
    skewness = (off**3).mean(axis=0) / (off**2).mean(axis=0) ** 1.5
    kurtosis = (off**4).mean(axis=0) / (off**2).mean(axis=0) ** 2 - 3
    knee = 2 / np.sqrt(np.longdouble(3))
    weight = np.where(snr > knee, 1 - 4 / (9 * snr**2), snr / np.sqrt(np.longdouble(3)))
    seen = magnitude * weight  # |g| w(S)
    if independent:  # the draws' mean is another estimate of g: no error enters squared
        square = g * draws.mean(axis=0)
        seen = np.where((snr <= knee) & (sigma > 0), square / (sigma * np.sqrt(np.longdouble(3))), seen)
failure = (np.sign(draws) != np.sign(g)).mean(axis=0)
noisy = live & (sigma > 0)
judged = live & (snr > 0)
edges = [b["from"] for b in analysis["snr_bins"][1:]]
bins = np.searchsorted(np.array(edges, dtype=np.longdouble), snr[judged], side="right")
slots = len(edges) + 1

expected = {
    "coordinates": n,
    "silent": silent.sum(),
    "below_floor": (live & (snr == 0)).sum(),
    "high_snr_share": (snr[live] > knee).sum() / live.sum(),
    "mean_weight": weight[live].mean(),
    "stationarity_l1": magnitude.sum(),
    "stationarity_l1_raw": np.abs(g).sum(),
    "stationarity_l2_squared": square.sum(),
    "stationarity_l2_squared_raw": (g**2).sum(),
    "stationarity_weighted": seen[live].sum(),
    "noise_variance": sigma2.sum(),
    "density": np.abs(g).sum() ** 2 / (n * (g**2).sum()),
    "mean_squared_skewness": (skewness[noisy] ** 2 - 6 * (k - 2) / ((k + 1) * (k + 3))).mean(),
    "mean_excess_kurtosis": kurtosis[noisy].mean(),
    "rms": np.sqrt(((g**2) + sigma2).mean()),
    "snr_counts": np.bincount(bins, minlength=slots),
    "failure_sums": np.bincount(bins, weights=failure[judged].astype(float), minlength=slots),
}
worst = 0.0
for key, value in expected.items():
    ours, theirs = np.atleast_1d(np.asarray(entry[key], dtype=float)), np.atleast_1d(np.asarray(value, dtype=float))
    error = np.abs(ours - theirs).max() / max(1e-30, np.abs(theirs).max())
    worst = max(worst, error)
    if not error <= 1e-9:
        sys.exit(f"{name}: {key} is {entry[key]}, NumPy says {value}")
print(f"{name}: {len(expected)} figures of {n} coordinates and {k} draws agree, largest relative difference {worst:.1e}")
