"""Changes of training images that break what tells one source from another.

Images are tensors ``(n, 1, H, W)`` with values 0..1, square, on any device. Every image
draws its own numbers.
"""

import math

import torch
from torch.nn import functional


def augment(x):
    """Change field of view, skull, intensity and text at random."""
    x = affine(x)
    x = some(0.3, x, narrow(x))
    x = some(0.2, x, strip_skull(x))
    x = intensity(x)
    return some(0.15, x, burn_text(x))


def draw(x, low, high):
    """One number per image, of shape (n, 1, 1, 1)."""
    return torch.rand(len(x), 1, 1, 1, device=x.device) * (high - low) + low


def some(share, x, changed):
    return torch.where(draw(x, 0, 1) < share, changed, x)


def grid(x, low):
    t = torch.linspace(low, 1, x.shape[-1], device=x.device)
    return t.view(1, 1, 1, -1), t.view(1, 1, -1, 1)


def affine(x, rotation=25, shift=0.1, zoom=(0.65, 1.35), aspect=0.12, shear=0.1):
    def number(low, high):
        return draw(x, low, high).flatten()

    angle = number(-rotation, rotation) * math.pi / 180
    factor, ratio = 1 / number(*zoom), 1 + number(-aspect, aspect)
    cos, sin = torch.cos(angle) * factor, torch.sin(angle) * factor
    flip = torch.sign(number(-1, 1))
    tilt = number(-shear, shear)
    rows = [
        torch.stack(
            [flip * cos * ratio, flip * (tilt - sin), number(-2, 2) * shift], 1
        ),
        torch.stack([sin, cos / ratio, number(-2, 2) * shift], 1),
    ]
    points = functional.affine_grid(torch.stack(rows, 1), x.shape, align_corners=False)
    return functional.grid_sample(x, points, align_corners=False)


def narrow(x):
    """Black out edges, up to 22 % of a side each."""
    across, down = grid(x, 0)

    def edge():
        return (draw(x, 0, 1) - 0.4).clamp(0) / 0.6 * 0.22

    inside = (across > edge()) & (across < 1 - edge())
    return x * (inside & (down > edge()) & (down < 1 - edge()))


def strip_skull(x):
    """Keep a soft ellipse, as skull stripping leaves the brain."""
    across, down = grid(x, -1)
    across, down = across - draw(x, -0.1, 0.1), down - draw(x, -0.1, 0.1)
    far = (across / draw(x, 0.6, 0.95)) ** 2 + (down / draw(x, 0.6, 0.95)) ** 2
    return x * torch.sigmoid((1 - far) * draw(x, 15, 60))


def intensity(x):
    """Blur, brightness, contrast, gamma and noise of the recipe "default"."""
    kernel = torch.tensor([1.0, 2, 1], device=x.device)
    kernel = (kernel[:, None] * kernel / 16).view(1, 1, 3, 3)
    blurred = functional.conv2d(
        functional.pad(x, (1, 1, 1, 1), mode="replicate"), kernel
    )
    x = x + (blurred - x) * draw(x, 0, 1)
    x = (x * draw(x, 0.8, 1.2)).clamp(0, 1)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = ((x - mean) * draw(x, 0.8, 1.2) + mean).clamp(0, 1)
    x = (x + 1e-7) ** draw(x, 0.7, 1.3)
    return (x + torch.randn_like(x) * draw(x, 0, 12 / 255)).clamp(0, 1)


def burn_text(x, n=4):
    """Put a few bright specks of the size of text near the edges."""
    across, down = grid(x, 0)
    for _ in range(n):
        near = torch.where(draw(x, 0, 1) < 0.5, draw(x, 0, 0.1), draw(x, 0.88, 0.98))
        other, side = draw(x, 0, 1), draw(x, 0, 1) < 0.5
        column, row = torch.where(side, near, other), torch.where(side, other, near)
        within = (across - column).abs() < draw(x, 0.01, 0.08)
        within = within & ((down - row).abs() < draw(x, 0.004, 0.02))
        lit = within & (torch.rand_like(x) < 0.6)
        x = torch.where(lit, draw(x, 0.5, 1).expand_as(x), x)
    return x


def mix_style(x, share=0.5):
    """Mix each image's channel statistics with another's, in half of the batches.

    K. Zhou et al., "Domain Generalization with MixStyle", ICLR 2021.
    """
    maps = x.float()
    mean = maps.mean((2, 3), keepdim=True).detach()
    std = (maps.var((2, 3), keepdim=True) + 1e-6).sqrt().detach()
    one, two = draw(x, 0, 1) ** 10, draw(x, 0, 1) ** 10
    weight = one / (one + two + 1e-12)  # near 0 or 1, as a Beta(0.1, 0.1)
    mixed = (maps - mean) / std * (std * weight + std.roll(1, 0) * (1 - weight))
    mixed = mixed + mean * weight + mean.roll(1, 0) * (1 - weight)
    on = torch.rand((), device=x.device) < share
    return torch.where(on, mixed, maps).to(x.dtype)
