"""Which part of a scan speaks for a class, by the network's gradients."""

from typing import NamedTuple

import numpy as np

from brain_tumor_clf._validation import check_choice
from brain_tumor_clf.inspection._class_maps import METHODS, class_map, fuse
from brain_tumor_clf.inspection._explained import (
    explained,
    in_original_pixels,
    of_first_member,
)

# What needs Keras is imported in functions: displays and reports start without it.

_N_STAGES = 3  # the coarsest, which know most; finer ones react to every edge
_N_VIEWS = (1, 2, 4)
_BATCH = 8  # gradients keep all maps of all layers: some 30 MB an image


def grad_cam(estimator, X, target=None, layer=None, *, method="layercam", n_views=4):
    """Heat maps of what speaks for a class, by the gradients of a network.

    Parameters
    ----------
    estimator : fitted classifier or Pipeline
        A classifier of this package, or a pipeline of image transformers that ends in
        one, as `make_mri_pipeline` makes it. A calibrated frozen pipeline and a
        finished search are looked into; of a vote or a stack the first member is
        explained.
    X : sequence of n images
        What `estimator` takes.
    target : label or array-like of n labels, default=None
        The class to explain, for all images or for each. None means the class that
        the classifier predicts.
    layer : str or sequence of str, default=None
        Names of the layers whose maps are used; ``classifier.model_.layers`` has them.
        None means, for "layercam", the last layer of each of the three coarsest
        resolutions; for the others the last feature map, as in their papers.
    method : {"layercam", "gradcam", "gradcam++"}, default="layercam"
        How gradients weigh the maps; see Notes.
    n_views : {1, 2, 4}, default=4
        Of how many views of the image the maps are averaged: of the image alone; of it
        and its mirror image; or also of both shifted by a quarter of a coarsest cell.

    Returns
    -------
    ndarray of shape (n, H, W), float32, or (n,), object
        Values from 0 to 1, the maximum of each map; zeros where nothing speaks for
        the class. For a lone classifier in the pixels of `X`; for a pipeline in those
        of the original images, upright (a camera's EXIF orientation applied) and at
        full size, with 0 where they were cropped away. Maps of images that differ in
        size come as an object array of arrays ``(H_i, W_i)``.

    Raises
    ------
    TypeError
        If `estimator` does not end in a network of this package.
    ValueError
        If `target`, `layer` or `method` is unknown; the message names the nearest.
    NotImplementedError
        Under a Keras backend other than TensorFlow, JAX and PyTorch.

    See Also
    --------
    occlusion_map : Explains any classifier, by covering parts of the image.
    SaliencyDisplay : Draws the maps over the scans.

    Notes
    -----
    What is explained is the log-odds of the class. A map tells where the network
    looked, not whether it was right to, and it is no outline of a lesion.

    Grad-CAM [1]_ and Grad-CAM++ [2]_ give each feature map one weight for the whole
    image, which makes sense in the last layer alone: there, a map of a scan of 224
    pixels has 7x7 cells, coarser than most lesions. LayerCAM [3]_ weighs each place of
    each map by its own gradient and so can use finer layers. The coarse maps know what
    they see and the fine ones where it is; the default is the mean of the three
    coarsest resolutions (28, 14 and 7 cells a side for 224 pixels), each scaled to 1.
    The element-wise maximum of the LayerCAM paper would let the coarsest cells decide
    where the peak is. Which edges of a lesion meet the edges of the cells is chance;
    the mean over views takes it away.

    References
    ----------
    .. [1] R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks
       via Gradient-based Localization", ICCV 2017.
    .. [2] A. Chattopadhay et al., "Grad-CAM++: Generalized Gradient-based Visual
       Explanations for Deep Convolutional Networks", WACV 2018.
    .. [3] P.-T. Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps
       for Localization", IEEE Transactions on Image Processing 30, 2021.

    Examples
    --------
    >>> from brain_tumor_clf import SimpleCNNClassifier, grad_cam, make_brain_mri
    >>> scans = make_brain_mri(n_samples=8, image_size=32, random_state=0)
    >>> clf = SimpleCNNClassifier(filters=(4, 8), epochs=1, random_state=0)
    >>> clf = clf.fit(scans.data, scans.target)
    >>> maps = grad_cam(clf, scans.data, target="glioma")
    >>> maps.shape, float(maps.max())
    ((8, 32, 32), 1.0)
    """
    check_choice("method", method, METHODS)
    if n_views not in _N_VIEWS:
        raise ValueError(f"n_views must be 1, 2 or 4, got {n_views!r}.")
    whole = explained(estimator, X)
    classifier, images, placements = of_first_member(whole)
    network = _network(classifier)
    images = classifier._check_images(images, reset=False)
    layers = _layers(network, layer, method)
    maps = _heat(network, layers, images, whole.positions(target), method, n_views)
    return in_original_pixels(maps, placements)


def _network(classifier):
    from brain_tumor_clf.classifiers import BaseCNNClassifier

    if not isinstance(classifier, BaseCNNClassifier):
        raise TypeError(
            "grad_cam needs a classifier of this package, such as SimpleCNNClassifier, "
            "alone or at the end of a pipeline of image transformers; got "
            f"{type(classifier).__name__}. occlusion_map explains any classifier."
        )
    network = classifier.model_
    # `operations` and `layer.output` are of functional networks alone.
    if not hasattr(network, "operations"):
        raise TypeError(
            f"grad_cam needs a functional keras.Model, got {type(network).__name__}. "
            "occlusion_map explains any classifier."
        )
    return network


def _layers(network, layer, method):
    from brain_tumor_clf.inspection._stages import find_layers
    from brain_tumor_clf.networks import stage_layers

    if layer is not None:
        return find_layers(network, layer)
    return stage_layers(network)[-_N_STAGES if method == "layercam" else -1 :]


def _heat(network, layers, images, positions, method, n_views):
    """Fused maps of all images, as large as the images."""
    from brain_tumor_clf.inspection._gradients import maps_and_gradients

    size = images.shape[1:3]
    views = _views(layers, size, n_views)
    heat = np.empty((len(images), *size), dtype="float32")
    n_at_once = _BATCH // n_views
    for start in range(0, len(images), n_at_once):
        batch = slice(start, start + n_at_once)
        seen = np.concatenate([view.apply(images[batch]) for view in views])
        explained_as = np.tile(positions[batch], n_views)
        maps, gradients = maps_and_gradients(network, layers, seen, explained_as)
        by_layer = [
            class_map(method, *pair) for pair in zip(maps, gradients, strict=True)
        ]
        by_view = np.split(fuse(by_layer, size), n_views)
        undone = [view.undo(each) for view, each in zip(views, by_view, strict=True)]
        heat[batch] = np.mean(undone, axis=0)
    return heat


class _View(NamedTuple):
    """An image mirrored or not, then moved down and to the right by so many pixels."""

    is_mirrored: bool
    shift: int

    def apply(self, images):
        images = images[:, :, ::-1] if self.is_mirrored else images
        return _shift(images, self.shift)

    def undo(self, maps):
        maps = _shift(maps, -self.shift)
        return maps[:, :, ::-1] if self.is_mirrored else maps


def _views(layers, size, n_views):
    cells = min(side for layer in layers for side in layer.output.shape[1:3])
    quarter = max(round(max(size) / cells / 4), 1)
    all_views = (
        _View(False, 0),
        _View(True, 0),
        _View(False, quarter),
        _View(True, -quarter),
    )
    return all_views[:n_views]


def _shift(images, n_pixels):
    """Move down and right; what comes in at the edges repeats them."""
    if not n_pixels:
        return images
    rows, columns = (
        np.clip(np.arange(side) - n_pixels, 0, side - 1) for side in images.shape[1:3]
    )
    return images[:, rows[:, None], columns]
