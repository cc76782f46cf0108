"""Train EfficientNet-Lite0 on scans of many sources with PyTorch, on a GPU or a CPU.

    python benchmarks/many_sources/train.py table.csv --root images \
        --protocol fold0 -o run

The table has the columns path, label, group and source. A protocol is fold0 to fold4
(groups kept whole), out:SOURCE (that source is left out, several joined by "+") or all.
Labels other than the four classes become a fifth, "other". The folder of results gets
the weights, as a list of half-precision arrays in the order of Keras' layers, and the
logits of the images that were left out. README.md beside this file has the recipe and
what it scored. Needs PyTorch, which the package's extras do not install.
"""

import argparse
import math
from pathlib import Path

import augment
import numpy as np
import pandas as pd
import torch
from protocols import CLASSES, HOME, read_table, split
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from torch import nn

from brain_tumor_clf import make_mri_pipeline

IMAGENET = "brain_tumor_clf/networks/packaged/efficientnet-lite0-imagenet.npz"
SIDE, BATCH, RATE, DECAY, EMA = 224, 64, 7e-4, 0.01, 0.998
# Kernel, stride of the first block, expansion, filters, blocks.
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("table")
    parser.add_argument("--root", default=".", help="folder that paths start from")
    parser.add_argument("--protocol", default="fold0")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--image-size", type=int, default=SIDE)
    parser.add_argument("-o", "--output", default="run")
    return parser.parse_args(argv)


class Same(nn.Conv2d):
    """A convolution with the padding that Keras calls "same"."""

    def __init__(self, inputs, filters, kernel, stride=1, groups=1):
        pad = kernel // 2 if stride == 1 else 0
        super().__init__(
            inputs, filters, kernel, stride, pad, groups=groups, bias=False
        )

    def forward(self, x):
        if self.stride[0] == 2:
            n = self.kernel_size[0] - 2
            x = nn.functional.pad(x, (n // 2, n - n // 2, n // 2, n - n // 2))
        return super().forward(x)


def convolve(inputs, filters, kernel, stride=1, groups=1, active=True):
    norm = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.1)
    end = [nn.ReLU6()] if active else []
    return nn.Sequential(Same(inputs, filters, kernel, stride, groups), norm, *end)


class Bottleneck(nn.Module):
    def __init__(self, inputs, filters, kernel, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        self.adds = stride == 1 and inputs == filters
        parts = [convolve(inputs, wide, 1)] if expansion > 1 else []
        parts.append(convolve(wide, wide, kernel, stride, groups=wide))
        self.body = nn.Sequential(*parts, convolve(wide, filters, 1, active=False))

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


class Lite0(nn.Module):
    """EfficientNet-Lite0 with mixed feature statistics in training and five logits."""

    def __init__(self):
        super().__init__()
        self.stem, width = convolve(3, 32, 3, 2), 32
        self.stages = nn.ModuleList()
        for kernel, stride, expansion, filters, n in STAGES:
            blocks = []
            for i in range(n):
                blocks.append(
                    Bottleneck(
                        width, filters, kernel, stride if not i else 1, expansion
                    )
                )
                width = filters
            self.stages.append(nn.Sequential(*blocks))
        self.top = convolve(320, 1280, 1)
        self.dropout, self.logits = nn.Dropout(0.2), nn.Linear(1280, len(CLASSES))
        nn.init.xavier_uniform_(self.logits.weight)
        nn.init.zeros_(self.logits.bias)

    def forward(self, x):
        x = self.stem(((x * 255 - 127) / 128).expand(-1, 3, -1, -1))
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if self.training and i < 3:
                x = augment.mix_style(x)
        return self.logits(self.dropout(self.top(x).mean((2, 3)).float()))

    def tensors(self):
        """Tensors in the order of Keras' weights, with the axes that Keras has."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                axes = (2, 3, 1, 0) if module.groups == 1 else (2, 3, 0, 1)
                yield module.weight.data.permute(axes)
            elif isinstance(module, nn.BatchNorm2d):
                yield module.weight.data
                yield module.bias.data
                yield module.running_mean
                yield module.running_var
        yield self.logits.weight.data.T
        yield self.logits.bias.data

    def load_body(self, path):
        with np.load(path) as file:
            for tensor, name in zip(self.tensors(), file.files, strict=False):
                tensor.copy_(torch.tensor(file[name].astype(np.float32)))


def sampling_weights(table):
    """Weigh sources so that no class is told by where an image is from.

    The home source and all others share the images 55 to 45. Within each, classes
    weigh alike ("other" half as much); within a class of the others, a source weighs
    by the root of its size.
    """
    home = table.source == HOME
    root = table.groupby(["source", "target"]).target.transform("size") ** -0.5
    share = root / root.groupby([home, table.target]).transform("sum")
    class_share = pd.Series(np.where(table.target == 4, 0.5, 1.0), table.index)
    one_each = class_share / table.groupby([home, table.target]).target.transform(
        "size"
    )
    share = share * class_share / one_each.groupby(home).transform("sum")
    return (share * np.where(home, 0.55, 0.45)).to_numpy()


def epochs_of(table, at, n_epochs, rng):
    """Batches of positions: systematic samples by weight, in random order."""
    edges = np.cumsum(sampling_weights(table.iloc[at]))
    for _ in range(n_epochs):
        points = (np.arange(len(at)) + rng.random()) / len(at) * edges[-1]
        drawn = rng.permutation(
            at[np.searchsorted(edges, points).clip(max=len(at) - 1)]
        )
        yield from drawn[: len(at) // BATCH * BATCH].reshape(-1, BATCH)


def fit(images, table, at, args, device):
    torch.manual_seed(args.seed)
    network = Lite0()
    network.load_body(IMAGENET)
    network.to(device, memory_format=torch.channels_last).train()
    targets = torch.tensor(table.target.to_numpy(), device=device)
    batches = list(epochs_of(table, at, args.epochs, np.random.default_rng(args.seed)))
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=DECAY, eps=1e-7)
    state = [t for t in network.state_dict().values() if t.is_floating_point()]
    mean = [tensor.clone() for tensor in state]
    warmup = max(len(batches) // 10, 1)
    for step, batch in enumerate(batches):
        turn = max(step - warmup, 0) / max(len(batches) - warmup, 1)
        rate = min((step + 1) / warmup, 0.5 + 0.5 * math.cos(math.pi * turn))
        optimizer.param_groups[0]["lr"] = RATE * rate
        chosen = torch.tensor(batch, device=device)
        x = augment.augment(images[chosen].float() / 255)
        with torch.autocast(device.type, torch.bfloat16):
            logits = network(x.contiguous(memory_format=torch.channels_last))
        loss = nn.functional.cross_entropy(
            logits.float(), targets[chosen], label_smoothing=0.1
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(mean, state, 1 - EMA)
        if step % 100 == 0:
            print(f"step {step} of {len(batches)}, loss {loss.item():.3f}", flush=True)
    for tensor, value in zip(state, mean, strict=True):
        tensor.copy_(value)
    return network.eval()


@torch.no_grad()
def predict(network, images, at):
    parts = np.array_split(at, max(len(at) // 256, 1))
    logits = [network(images[torch.tensor(part)].float() / 255) for part in parts]
    return torch.cat(logits).cpu().numpy()


def main(argv=None):
    args = parse_arguments(argv)
    table = read_table(args.table)
    pipe = make_mri_pipeline(LogisticRegression(), args.image_size, n_jobs=-1)
    paths = [str(Path(args.root) / path) for path in table.path]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    images = torch.tensor(pipe[0].fit_transform(paths)).permute(0, 3, 1, 2).to(device)
    train, test = split(table, args.protocol)
    network = fit(images, table, train, args, device)
    Path(args.output).mkdir(parents=True, exist_ok=True)
    arrays = [t.cpu().numpy().astype(np.float16) for t in network.tensors()]
    np.savez(Path(args.output) / "weights.npz", *arrays)
    if len(test):
        logits = predict(network, images, test)
        np.savez(Path(args.output) / "logits.npz", at=test, logits=logits)
        known = table.target.to_numpy()[test] < 4
        truth, answers = table.target.to_numpy()[test], logits[:, :4].argmax(axis=1)
        score = balanced_accuracy_score(truth[known], answers[known])
        print(f"{args.protocol}: balanced accuracy {score:.3f} of {known.sum()} images")


if __name__ == "__main__":
    main()
