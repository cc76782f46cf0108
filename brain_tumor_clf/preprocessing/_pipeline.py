"""Send each image through several transformers in one go."""

import functools
import os

import joblib
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch
from sklearn.utils.metaestimators import _BaseComposition

from brain_tumor_clf import __version__
from brain_tumor_clf.preprocessing._base import ImageStream, ImageTransformer
from brain_tumor_clf.preprocessing._cache import ImageCache
from brain_tumor_clf.preprocessing._placement import Placement


class ImagePipeline(ImageTransformer, _BaseComposition):
    """Send each image through several image transformers in one go.

    Memory holds the result and a few images in flight, never a second copy of the data
    set. A step that learns is fitted in a pass of its own over the images.

    Parameters
    ----------
    steps : list of (str, ImageTransformer)
        Names and transformers, in order. "passthrough" or None in place of a
        transformer leaves the step out. Parameters of a step are reached as
        ``name__parameter``.
    n_jobs : int or None, default=None
        Number of threads; None means 1, -1 all processors. `n_jobs` of the steps is not
        used.
    cache : str, PathLike or None, default=None
        Folder in which the result of every image is kept, and used again by `fit` and
        `transform` of any pipeline with the same parameters, also in another process. A
        path is known by its name, size and modification time, any other source by its
        content. Before a step that learns, images are kept too, so that they are read
        once whatever was learned. Warnings are given when an image is made, not when it
        is taken from the cache.

    Attributes
    ----------
    named_steps : Bunch
        The transformers by name.

    Examples
    --------
    >>> import numpy as np
    >>> from brain_tumor_clf.preprocessing import (
    ...     HeadCropper, ImagePipeline, ImageReader, ImageResizer,
    ... )
    >>> scan = np.zeros((100, 80), dtype=np.uint8)
    >>> scan[20:90, 10:70] = 120
    >>> preprocess = ImagePipeline(
    ...     [
    ...         ("read", ImageReader()),
    ...         ("crop", HeadCropper()),
    ...         ("resize", ImageResizer(32)),
    ...     ]
    ... )
    >>> preprocess.set_params(crop__margin=0.1).fit_transform([scan]).shape
    (1, 32, 32, 1)
    """

    def __init__(self, steps, *, n_jobs=None, cache=None):
        self.steps = steps
        self.n_jobs = n_jobs
        self.cache = cache

    @property
    def named_steps(self):
        """The transformers by name."""
        return Bunch(**dict(self.steps))

    def __len__(self):
        return len(self.steps)

    def __getitem__(self, index):
        """A transformer by name or position, or a pipeline of a slice of the steps."""
        if isinstance(index, slice):
            return type(self)(self.steps[index], n_jobs=self.n_jobs, cache=self.cache)
        if isinstance(index, str):
            return self.named_steps[index]
        return self.steps[index][1]

    def get_params(self, deep=True):
        """Parameters of the pipeline and, with `deep`, of its steps.

        Parameters
        ----------
        deep : bool, default=True

        Returns
        -------
        dict of str to object
        """
        return self._get_params("steps", deep=deep)

    def set_params(self, **params):
        """Set parameters of the pipeline or of its steps, or replace a step.

        Parameters
        ----------
        **params : object
            ``name__parameter`` of a step, the name of a step, or an own parameter.

        Returns
        -------
        self : object
        """
        self._set_params("steps", **params)
        return self

    @property
    def _active_steps(self):
        return [step for _, step in self.steps if not _is_left_out(step)]

    @property
    def _learns(self):
        return any(step._learns for step in self._active_steps)

    def _check_params(self):
        _check_steps(self.steps)
        self._validate_names([name for name, _ in self.steps])
        if self.cache is not None and not isinstance(self.cache, (str, os.PathLike)):
            raise TypeError(
                f"cache must be a folder or None, got {type(self.cache).__name__}."
            )
        for step in self._active_steps:
            step._check_params()

    def _fit_collection(self, X):
        steps = self._active_steps
        for i, step in enumerate(steps):
            if step._learns:
                # Images come here as the steps before have made them.
                make = functools.partial(_run, self._chain(i), [step._check_image])
                step._fit_images(ImageStream(make, X, self.n_jobs))

    def _image_function(self, size_needed=None):
        return self._chain(len(self._active_steps), size_needed)

    def _locating_function(self, size_needed=None):
        steps = zip(self._active_steps, self._sizes_needed(size_needed), strict=True)
        functions = [step._locating_function(size) for step, size in steps]
        return functools.partial(_run_and_locate, functions)

    def _chain(self, n_steps, size_needed=None):
        """What sends one entry of `X` through the first steps, by way of the cache."""
        steps = self._active_steps
        sizes = self._sizes_needed(size_needed)
        functions = [
            step._image_function(size) for step, size in zip(steps, sizes, strict=True)
        ]
        learning = [i for i in range(1, n_steps) if steps[i]._learns]
        chain, start = _as_given, 0
        for stop in [*learning, n_steps]:
            chain = functools.partial(_run, chain, functions[start:stop])
            if self.cache is not None and stop > 0:
                chain = functools.partial(
                    ImageCache(self.cache).get_or_make,
                    parameters=_describe(steps[:stop], sizes[:stop]),
                    make=chain,
                )
            start = stop
        return chain

    def _sizes_needed(self, size_needed=None):
        """Of each step's output, the least size that the steps after it need."""
        sizes = []
        for step in reversed(self._active_steps):
            sizes.insert(0, size_needed)
            size_needed = step._input_size_needed(size_needed)
        return sizes

    def _makes_batch(self, given_batch):
        for step in self._active_steps:
            given_batch = step._makes_batch(given_batch)
        return given_batch

    def __sklearn_is_fitted__(self):
        return all(step.__sklearn_is_fitted__() for step in self._active_steps)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if self._active_steps:
            tags.input_tags = self._active_steps[0].__sklearn_tags__().input_tags
        return tags

    def _sk_visual_block_(self):
        # Of a step that is None scikit-learn would show nothing.
        shown = [
            (name, "passthrough" if _is_left_out(step) else step)
            for name, step in self.steps
        ]
        return Pipeline(shown)._sk_visual_block_()


def _is_left_out(step):
    return step is None or (isinstance(step, str) and step == "passthrough")


def _check_steps(steps):
    if not isinstance(steps, (list, tuple)) or not steps:
        raise ValueError(f"steps must be a list of (name, transformer), got {steps!r}.")
    for entry in steps:
        if not isinstance(entry, tuple) or len(entry) != 2:
            raise ValueError(f"Each step must be (name, transformer), got {entry!r}.")
        step = entry[1]
        if _is_left_out(step):
            continue
        if isinstance(step, ImagePipeline) or not isinstance(step, ImageTransformer):
            raise TypeError(
                f"Step {entry[0]!r} is {step!r}; expected an image transformer "
                "(ImageReader, HeadCropper, …) or 'passthrough'. What works on the "
                "whole collection, and another ImagePipeline, goes into a scikit-learn "
                "Pipeline beside this one."
            )


def _as_given(source):
    return source


def _run(chain, functions, source):
    image = chain(source)
    for function in functions:
        image = function(image)
    return image


def _run_and_locate(functions, source):
    image, placement = source, None
    for function in functions:
        image, inner = function(image)
        placement = inner if placement is None else placement.then(inner)
    if placement is None:  # every step is left out
        placement = Placement.whole(image.shape)
    return image, placement


def _describe(steps, sizes):
    """A string that changes with whatever the result of the steps depends on."""
    states = [step._state(size) for step, size in zip(steps, sizes, strict=True)]
    return f"{__version__} {joblib.hash(states)}"
