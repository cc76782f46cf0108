"""In one pass, memory holds the result and a few images, never a second copy of all."""

import tracemalloc

from sklearn.pipeline import Pipeline

from brain_tumor_clf import (
    HeadCropper,
    ImagePipeline,
    ImageReader,
    ImageResizer,
    IntensityNormalizer,
    make_brain_mri,
)
from tests.preprocessing.images import encode


def extra_memory(chain, sources):
    """Peak of what a transform allocates beyond its result, in bytes."""
    chain.fit_transform(sources[:4])
    tracemalloc.start()
    try:
        result = chain.transform(sources)
        return tracemalloc.get_traced_memory()[1] - result.nbytes
    finally:
        tracemalloc.stop()


def test_memory_in_one_go_does_not_grow_with_the_number_of_images():
    scans = make_brain_mri(4, 256, random_state=0).data
    sources = [encode(scan, "JPEG") for scan in scans] * 10
    steps = [
        ("read", ImageReader()),
        ("crop", HeadCropper()),
        ("normalize", IntensityNormalizer()),
        ("resize", ImageResizer(32)),
    ]
    few = extra_memory(ImagePipeline(steps), sources[:8])
    many = extra_memory(ImagePipeline(steps), sources)
    assert many < few + 2**19
    # Step by step all images are held as they were read: 64 KiB each.
    assert extra_memory(Pipeline(steps), sources) > many + 32 * 2**16
