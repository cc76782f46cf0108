"""Send each image through several transformers in one go."""

import functools
import os

import joblib
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch
from sklearn.utils.metaestimators import _BaseComposition

from brain_tumor_clf import __version__
from brain_tumor_clf.preprocessing._base import N_JOBS, ImageTransformer, Placement
from brain_tumor_clf.preprocessing._cache import ImageCache


class ImagePipeline(ImageTransformer, _BaseComposition):
    """Send each image through several image transformers in one go.

    Memory holds the result and a few images in flight, never a second copy of the data
    set.

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
        Folder in which the result of every image is kept, and used again by `transform`
        of any pipeline with the same parameters, also in another process. A path is
        known by its name, size and modification time, any other source by its content.
        Warnings are given when an image is made, not when it is taken from the cache.

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

    _parameter_constraints = {
        "steps": "no_validation",
        "n_jobs": N_JOBS,
        "cache": [str, os.PathLike, None],
    }

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
        """Return a transformer by name or position, or a pipeline of some steps."""
        if isinstance(index, slice):
            return type(self)(self.steps[index], n_jobs=self.n_jobs, cache=self.cache)
        if isinstance(index, str):
            return self.named_steps[index]
        return self.steps[index][1]

    def get_params(self, deep=True):
        """Return the parameters of the pipeline and, with `deep`, of its steps."""
        return self._get_params("steps", deep=deep)

    def set_params(self, **params):
        """Set own parameters, ``name__parameter`` of a step, or a step by its name."""
        self._set_params("steps", **params)
        return self

    @property
    def _active_steps(self):
        return [step for _, step in self.steps if not _is_left_out(step)]

    def _check_params(self):
        _check_steps(self.steps)
        self._validate_names([name for name, _ in self.steps])
        for step in self._active_steps:
            step._check_all_params()

    def _function(self):
        if self.cache is None:
            return self._apply
        states = [step._state(size) for step, size in self._steps_with_sizes()]
        return functools.partial(
            ImageCache(self.cache).get_or_make,
            parameters=f"{__version__} {joblib.hash(states)}",
            make=self._apply,
        )

    def _apply(self, image, size_needed=None):
        for step, size in self._steps_with_sizes(size_needed):
            image = step._apply(image, size)
        return image

    def _apply_and_locate(self, image, size_needed=None):
        placement = None
        for step, size in self._steps_with_sizes(size_needed):
            image, inner = step._apply_and_locate(image, size)
            placement = inner if placement is None else placement.then(inner)
        return image, placement or Placement.whole(image.shape)

    def _steps_with_sizes(self, size_needed=None):
        """Return the steps, each with the least size that later steps need of it."""
        pairs = []
        for step in reversed(self._active_steps):
            pairs.insert(0, (step, size_needed))
            size_needed = step._input_size_needed(size_needed)
        return pairs

    def _makes_batch(self, given_batch):
        for step in self._active_steps:
            given_batch = step._makes_batch(given_batch)
        return given_batch

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
