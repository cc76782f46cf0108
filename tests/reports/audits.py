"""What tests of audits share."""

import ast
import json

from PIL import Image


def titles(audit, severity=None):
    return [f.title for f in audit.findings if severity in (None, f.severity)]


def save(image, path, **options):
    Image.fromarray(image).save(path, **options)
    return str(path)


def check_views(audit):
    """All views can be made, tell what to do, name the purpose, and load nothing."""
    json.dumps(audit.to_dict(), allow_nan=False)
    for finding in audit.findings:
        assert finding.fix or finding.severity == "good"
        ast.parse(finding.fix)
    page = audit.to_html()
    for text in (page, audit.to_markdown(), audit._repr_html_()):
        assert "Research only; not a medical device." in text
        assert audit.findings[0].title in text
    assert "http" not in page.replace("data:image/png", "")
    assert "<script" not in page
