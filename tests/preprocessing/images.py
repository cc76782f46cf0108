"""Images that the tests of this room write and read."""

import io
import uuid

import numpy as np
from PIL import Image


def make_scan(height=96, width=80, level=150, noise=3, seed=0):
    """A grey ellipse, brighter at its left, in the middle of a dark noisy image."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    inside = ((y / height - 0.5) / 0.4) ** 2 + ((x / width - 0.5) / 0.35) ** 2 < 1
    image = np.where(inside, level * (1.2 - 0.4 * x / width), 4)
    image = image + rng.normal(0, noise, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def encode(image, format="PNG", **options):
    """The bytes of an image file; `image` is an array or a PIL image."""
    file = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(file, format=format, **options)
    return file.getvalue()


def write_scans(folder, n_images=4, height=96, width=80):
    """Paths of some JPEG files, all different, as strings."""
    paths = []
    for i in range(n_images):
        path = folder / f"scan_{i}.jpg"
        path.write_bytes(
            encode(make_scan(height + 2 * i, width, level=90 + 20 * i, seed=i), "JPEG")
        )
        paths.append(str(path))
    return paths


def make_dicom(pixels, **elements):
    """The bytes of a DICOM file; keyword arguments set elements of its header."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
    uid = f"2.25.{uuid.UUID(int=7).int}"
    dataset.file_meta.MediaStorageSOPInstanceUID = uid
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, uid
    dataset.Modality = "MR"
    dataset.PatientName = "Secret^Name"
    dataset.PatientID = "SECRET-ID"
    frames = pixels.ndim - 2 - (pixels.shape[-1] == 3)
    dataset.Rows, dataset.Columns = pixels.shape[frames : frames + 2]
    dataset.SamplesPerPixel = 3 if pixels.shape[-1] == 3 else 1
    dataset.PhotometricInterpretation = (
        "RGB" if dataset.SamplesPerPixel == 3 else "MONOCHROME2"
    )
    if dataset.SamplesPerPixel == 3:
        dataset.PlanarConfiguration = 0
    if frames:
        dataset.NumberOfFrames = len(pixels)
    bits = 8 * pixels.dtype.itemsize
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    for name, value in elements.items():
        setattr(dataset, name, value)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
