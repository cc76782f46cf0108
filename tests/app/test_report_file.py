"""Audit reports: ours are let in, whatever else is refused."""

import json

import pytest

from brain_tumor_clf import audit_dataset, make_brain_mri
from brain_tumor_clf.app._report_file import ReportFileError, framed, read_report
from brain_tumor_clf.reports import _html


@pytest.fixture(scope="module")
def audit():
    scans = make_brain_mri(12, image_size=48, random_state=0)
    data = [*scans.data, scans.data[0][:, ::-1], b"broken"]
    return audit_dataset(data, [*scans.target, "notumor", "glioma"])


def test_reports_of_ours(audit):
    page = audit.to_html()
    assert "data:image/png" in page
    assert read_report(page.encode()).page == page
    document = audit.to_dict()
    assert read_report(json.dumps(document).encode()).document == document


def test_the_frame_runs_no_script(audit):
    outer = framed(audit.to_html())
    assert outer.count("<iframe") == 1
    assert 'sandbox=""' in outer
    inner = outer.partition('srcdoc="')[2]
    assert inner.count('"') == 1  # the attribute's own end: nothing gets out of it
    assert "default-src &#x27;none&#x27;" in inner


def page(*blocks, title="Audit of a data set"):
    return _html.page(title, list(blocks))


@pytest.mark.parametrize(
    "block",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<img src="http://evil/x.png">',
        '<img src="data:image/svg+xml;base64,AAAA">',
        '<a href="javascript:alert(1)">x</a>',
        '<iframe src="http://evil"></iframe>',
        '<meta http-equiv="refresh" content="0;url=http://evil">',
        "<style>body{background:url(http://evil)}</style>",
        "<style>@import 'http://evil'</style>",
        '<p style="background:url(http://evil)">x</p>',
        '<form action="http://evil"><input></form>',
        "<svg onload=alert(1)></svg>",
        "<!-- comment -->",
        "<?php ?>",
        '<base href="http://evil">',
        '<link rel="stylesheet" href="http://evil">',
        "<ScRiPt>alert(1)</sCrIpT>",
    ],
)
def test_a_page_with_anything_of_its_own_is_refused(block):
    assert read_report(page().encode()).page
    with pytest.raises(ReportFileError, match="no report of brain-tumor-clf audit"):
        read_report(page(block).encode())


@pytest.mark.parametrize(
    "data",
    [
        page(title="Evaluation").encode(),
        b"<html><title>Audit of a data set</title></html>",
        b"\xff\xfe\x00",
        b"",
        b"hello",
        b"[1, 2]",
        b'{"findings": 3}',
        b'{"findings": [], "protocol": 1}',
        b'{"findings": [{"severity": "dire"}], "protocol": {}}',
        b'{"findings": [], "protocol": {}, "copies": [{"a": {"b": 1}}]}',
        b"[" * 100_000,
    ],
)
def test_other_files_are_refused_with_a_reason(data):
    with pytest.raises(ReportFileError, match="no report of brain-tumor-clf audit: it"):
        read_report(data)
