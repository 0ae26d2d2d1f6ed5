# SPDX-License-Identifier: Apache-2.0
"""Loads an exported network strictly into torchvision's resnet18 with the stem for small images, and measures it on
CIFAR-10's test file: check_torchvision.py NETWORK.pt test_batch.bin. Prints accuracy and loss as JSON."""
import json
import sys

import torch
import torchvision

network = torchvision.models.resnet18(num_classes=10)
network.conv1 = torch.nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
network.maxpool = torch.nn.Identity()
weights = torch.load(sys.argv[1], weights_only=True)
assert type(weights).__name__ == "OrderedDict"
network.load_state_dict(weights, strict=True)
assert all(weights[name].dtype == value.dtype for name, value in network.state_dict().items())
network.eval()

with open(sys.argv[2], "rb") as file:
    records = torch.tensor(list(file.read()), dtype=torch.uint8).reshape(-1, 3073)
labels = records[:, 0].long()
mean = torch.tensor([0.4914, 0.4822, 0.4465]).reshape(1, 3, 1, 1)
std = torch.tensor([0.2470, 0.2435, 0.2616]).reshape(1, 3, 1, 1)
images = (records[:, 1:].reshape(-1, 3, 32, 32).float() / 255 - mean) / std
with torch.no_grad():
    logits = network(images)
print(
    json.dumps(
        {
            "accuracy": 100.0 * (logits.argmax(1) == labels).float().mean().item(),
            "loss": torch.nn.functional.cross_entropy(logits, labels).item(),
            "batches": weights["layer4.1.bn2.num_batches_tracked"].item(),
        }
    )
)
