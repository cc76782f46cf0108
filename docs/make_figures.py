"""Draw the pictures of these pages; all of them show phantoms.

python docs/make_figures.py
"""

from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from brain_tumor_clf import make_brain_mri

matplotlib.use("agg")
FOLDER = Path(__file__).parent / "figures"


def draw_phantoms(path):
    """Three phantoms of each class, one a plane."""
    import matplotlib.pyplot as plt

    scans = make_brain_mri(96, 128, slices_per_patient=1, random_state=0)
    planes = ("axial", "coronal", "sagittal")
    figure, axes = plt.subplots(3, 4, figsize=(6.4, 5.0), layout="constrained")
    for column, label in enumerate(scans.target_names):
        for row, plane in enumerate(planes):
            chosen = np.flatnonzero((scans.target == label) & (scans.planes == plane))
            axes[row, column].imshow(
                scans.data[chosen[0]], cmap="gray", vmin=0, vmax=255
            )
            axes[row, column].set(xticks=[], yticks=[])
        axes[0, column].set_title(label, fontsize=9)
    for row, plane in enumerate(planes):
        axes[row, 0].set_ylabel(plane, fontsize=9)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
    plt.close(figure)
    # Grey in 64 levels: half the bytes.
    Image.fromarray(pixels).convert("L").quantize(64).save(path, optimize=True)


def main():
    FOLDER.mkdir(exist_ok=True)
    draw_phantoms(FOLDER / "phantoms.png")


if __name__ == "__main__":
    main()
