"""Heat maps by the gradients of a network."""

import numpy as np

from brain_tumor_clf._validation import check_choice, nearest_name
from brain_tumor_clf.inspection._explained import (
    cell_positions,
    explained,
    in_original_pixels,
    of_first_member,
    resample,
    scale_to_one,
)

# Modules that need Keras are imported in functions: displays work without Keras.

_N_STAGES = 3  # the coarsest resolutions; finer ones respond to every edge
_N_VIEWS = (1, 2, 4)
_BATCH = 8  # gradients keep the maps of all layers, some 30 MB for an image


def grad_cam(estimator, X, target=None, layer=None, *, method="layercam", n_views=4):
    """Compute heat maps of the regions that increase a class score, by gradients.

    Parameters
    ----------
    estimator : fitted classifier, Pipeline or SelectiveClassifier
        A classifier of this package, or a pipeline of image transformers that ends in
        one, also inside `FrozenEstimator`, a finished search or a calibrated
        classifier. Of an ensemble, the first member is explained.
    X : sequence of n images
        Input of `estimator`.
    target : label or array-like of n labels, default=None
        The class to explain, for all images or for each; by default the predicted one.
    layer : str or sequence of str, default=None
        Names of layers in ``classifier.model_.layers`` whose feature maps are used. By
        default, the last layer of each of the three coarsest resolutions for
        "layercam", and the last feature map for the other methods.
    method : {"layercam", "gradcam", "gradcam++"}, default="layercam"
        How the feature maps are weighted; see Notes.
    n_views : {1, 2, 4}, default=4
        Number of views over which maps are averaged: the image, its mirror image, and
        both shifted by a quarter of the coarsest cell.

    Returns
    -------
    ndarray of shape (n, H, W), float32, or (n,), object
        Heat maps from 0 to 1, each with a maximum of 1, or 0 everywhere if no region
        increases the score. For a pipeline, they are in the pixels of the original
        images, upright (EXIF orientation applied) and in full size, and 0 where the
        images were cropped. For images of different sizes, an object array of arrays
        ``(H_i, W_i)``.

    Raises
    ------
    TypeError
        If `estimator` does not end in a network of this package.
    ValueError
        If `target`, `layer` or `method` is unknown, or the maps are not finite.
    NotImplementedError
        If the Keras backend is not TensorFlow, JAX or PyTorch.

    See Also
    --------
    occlusion_map : Explain any classifier, by occluding parts of the image.
    SaliencyDisplay : Draw the maps over the scans.

    Notes
    -----
    The score is the log-odds of the class. A map shows where the network looked. It
    does not show whether the prediction is right, and it does not outline a lesion.

    Grad-CAM [1]_ and Grad-CAM++ [2]_ give each feature map a single weight, which is
    meaningful only in the last layer, whose cells are coarser than most lesions (7x7
    for a scan of 224 pixels). LayerCAM [3]_ weights each pixel of each map and can use
    finer layers: by default, the mean over three resolutions, each scaled to 1. The
    maximum, which its paper uses, would let the coarsest cells decide where the peak
    is. Averaging over views reduces the effect of where the borders of cells lie.

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
    check_choice("method", method, _METHODS)
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
    """Return the functional network of a classifier."""
    from brain_tumor_clf.classifiers import BaseCNNClassifier

    network = classifier
    if isinstance(classifier, BaseCNNClassifier):
        network = classifier.model_
        if hasattr(network, "operations"):  # as only functional networks have
            return network
    raise TypeError(
        "grad_cam needs a classifier of this package with a functional keras.Model, "
        "alone or after image transformers in a pipeline; got "
        f"{type(network).__name__}. occlusion_map explains any classifier."
    )


def _layers(network, names, method):
    """Return the layers of some names, or those that `method` uses by default."""
    from brain_tumor_clf.networks import has_spatial_output, stage_layers

    stages = stage_layers(network)
    if names is None:
        return stages[-_N_STAGES if method == "layercam" else -1 :]
    names = [names] if isinstance(names, str) else list(names)
    by_name = {layer.name: layer for layer in network.layers}
    advice = f"Last layers of each resolution: {', '.join(s.name for s in stages)}."
    if not names:
        raise ValueError(f"layer must name at least one layer, got none. {advice}")
    for name in names:
        if name not in by_name:
            maps = [n for n, layer in by_name.items() if has_spatial_output(layer)]
            near = nearest_name(name, maps)
            hint = f" Did you mean {near!r}?" if near else ""
            raise ValueError(f"Unknown layer {name!r}.{hint} {advice}")
        if not has_spatial_output(by_name[name]):
            shape = tuple(by_name[name].output.shape)
            raise ValueError(
                f"The output of layer {name!r} has shape {shape}; expected feature "
                f"maps (n, height, width, channels). {advice}"
            )
    return [by_name[name] for name in names]


def _heat(network, layers, images, positions, method, n_views):
    """Return heat maps in the size of the images."""
    from brain_tumor_clf.inspection._gradients import maps_and_gradients

    size = images.shape[1:3]
    views = _views(layers, size, n_views)
    heat = np.empty((len(images), *size), dtype="float32")
    n_at_once = _BATCH // n_views
    for start in range(0, len(images), n_at_once):
        batch = slice(start, start + n_at_once)
        seen = np.concatenate(
            [_shift(_mirror(images[batch], is_mirror), n) for is_mirror, n in views]
        )
        targets = np.tile(positions[batch], n_views)
        maps, gradients = maps_and_gradients(network, layers, seen, targets)
        by_layer = [
            _class_map(method, *pair) for pair in zip(maps, gradients, strict=True)
        ]
        by_view = np.split(_fuse(by_layer, size), n_views)
        heat[batch] = np.mean(
            [
                _mirror(_shift(maps, -n), is_mirror)
                for (is_mirror, n), maps in zip(views, by_view, strict=True)
            ],
            axis=0,
        )
    return heat


def _views(layers, size, n_views):
    """Return whether each view is a mirror image, and by how many pixels it is shifted.

    Shifts are a quarter of the coarsest cell.
    """
    cells = min(side for layer in layers for side in layer.output.shape[1:3])
    quarter = max(round(max(size) / cells / 4), 1)
    return [(False, 0), (True, 0), (False, quarter), (True, -quarter)][:n_views]


def _mirror(images, is_mirror):
    """Return images or their mirror images."""
    return images[:, :, ::-1] if is_mirror else images


def _shift(images, n_pixels):
    """Shift images down and right, repeating the pixels at the edges."""
    if not n_pixels:
        return images
    rows, columns = (
        np.clip(np.arange(side) - n_pixels, 0, side - 1) for side in images.shape[1:3]
    )
    return images[:, rows[:, None], columns]


def _class_map(method, maps, gradients):
    """Return non-negative heat maps (n, h, w) of feature maps (n, h, w, c)."""
    weights = _METHODS[method](maps, gradients)
    return np.maximum((weights * maps).sum(axis=-1), 0)


def _layer_cam(maps, gradients):
    """Weight each pixel of each map by its own gradient (Jiang et al.)."""
    return np.maximum(gradients, 0)


def _grad_cam(maps, gradients):
    """Weight each map by its mean gradient (Selvaraju et al.)."""
    return gradients.mean(axis=(1, 2), keepdims=True)


def _grad_cam_plus_plus(maps, gradients):
    """Weight each map by its positive gradients, few or many (Chattopadhay et al.)."""
    # The paper's score is exp(score): its derivatives are powers of the first.
    squares = gradients**2
    sums = maps.sum(axis=(1, 2), keepdims=True)
    denominator = 2 * squares + sums * squares * gradients
    usable = denominator != 0
    shares = np.where(usable, squares / np.where(usable, denominator, 1), 0)
    weights = shares * np.maximum(gradients, 0)
    return weights.sum(axis=(1, 2), keepdims=True)


_METHODS = {
    "layercam": _layer_cam,
    "gradcam": _grad_cam,
    "gradcam++": _grad_cam_plus_plus,
}


def _fuse(class_maps, size):
    """Return the mean (n, H, W) of several layers' maps, each scaled to 1."""
    enlarged = []
    for maps in class_maps:
        rows, columns = (
            cell_positions(n, 0, n, n_cells)
            for n, n_cells in zip(size, maps.shape[1:], strict=True)
        )
        enlarged.append(scale_to_one(resample(maps, rows, columns)))
    return np.mean(enlarged, axis=0, dtype="float32")
