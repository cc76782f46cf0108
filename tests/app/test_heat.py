"""Heat maps over scans."""

import numpy as np

from brain_tumor_clf.app._images import fit_heat, overlay, read_scan


def test_strength_runs_from_the_scan_to_the_colors(scans):
    scan = np.repeat(scans.data[0][..., None], 3, axis=2)
    heat = np.zeros(scan.shape[:2], dtype=np.float32)
    heat[10, 20] = 1
    np.testing.assert_array_equal(overlay(scan, heat, 0), scan)
    full = overlay(scan, heat, 1.0)
    assert full[10, 20, 0] > full[10, 20, 2]  # red, whatever was beneath
    full[10, 20] = scan[10, 20]
    np.testing.assert_array_equal(full, scan)


def test_a_map_keeps_its_place_at_another_size():
    heat = np.zeros((90, 60), dtype=np.float32)
    heat[60:66, 30:34] = 1
    small = fit_heat(heat, (45, 30))
    assert small.shape == (45, 30)
    peak = np.unravel_index(small.argmax(), small.shape)
    np.testing.assert_allclose(peak, (31, 15), atol=1)


def test_explanation_is_of_the_file_and_of_the_class(make_model, scans, make_upload):
    model = make_model()
    upload = make_upload(np.pad(scans.data[0], ((0, 0), (0, 10))))
    maps = [model.explain(upload.data, label) for label in model.labels]
    assert {m.shape for m in maps} == {(64, 74)}
    assert not np.array_equal(maps[0], maps[1])
    scan = read_scan(upload, 32)
    assert overlay(scan, fit_heat(maps[0], scan.shape[:2]), 0.6).shape == scan.shape
