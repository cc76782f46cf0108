"""A network without training whose heat map is known: it looks for bright spots."""

import functools

import numpy as np

from brain_tumor_clf import SimpleCNNClassifier, make_mri_pipeline

THRESHOLD = 0.8  # of white; what is darker says nothing


@functools.cache  # tests leave it as it is, and compile its gradients once
def make_spot_detector(image_size, classes=("no spot", "spot"), dtype=False):
    """A classifier of grey images whose logits grow with the number of bright pixels.

    With two classes the one logit speaks for ``classes[1]``; with more, each logit but
    the first speaks for its class, and all alike.
    """
    height, width = image_size
    clf = SimpleCNNClassifier(filters=(1,), dense_units=0, mixed_precision=dtype)
    X = np.zeros((len(classes), height, width, 1), dtype=np.uint8)
    clf.initialize(X, np.asarray(classes))
    kernel, bias, dense, logits_bias = clf.model_.get_weights()
    kernel = np.zeros_like(kernel)
    kernel[1, 1] = 1  # each pixel alone
    dense = np.ones_like(dense)
    if len(classes) > 2:
        dense[:, 0] = 0
    clf.model_.set_weights([kernel, bias - THRESHOLD, dense, logits_bias - 0.5])
    return clf


def make_spot_pipeline(image_size, **params):
    """The detector behind reading, cropping and resizing; levels are left alone."""
    detector = make_spot_detector(image_size)
    return make_mri_pipeline(detector, image_size, normalize=None, **params)


def make_spotted_head(shape, spot, head=None):
    """A grey ellipse on black with a bright spot, white in the middle.

    Parameters
    ----------
    shape : (int, int)
    spot : (int, int)
        Row and column of its middle.
    head : (top, left, bottom, right), default=None
        Box of the ellipse; None means that it fills the image.
    """
    top, left, bottom, right = head or (0, 0, *shape)
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    across = (y - (top + bottom) / 2) / ((bottom - top) / 2)
    along = (x - (left + right) / 2) / ((right - left) / 2)
    image = np.where(across**2 + along**2 < 1, 90, 0)
    away = np.hypot(y - 0.5 - spot[0], x - 0.5 - spot[1])
    radius = max(min(bottom - top, right - left) / 12, 4)
    bump = np.exp(-((away / radius) ** 2) / 2)
    return (image + (255 - image) * bump).astype(np.uint8)


def peak(heat):
    """Row and column of the maximum: the middle of all pixels that have it nearly."""
    rows, columns = np.nonzero(heat > 0.9 * heat.max())
    return np.array([rows.mean(), columns.mean()])
