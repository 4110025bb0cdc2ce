"""Every message of tests/vectors is understood exactly as its index says."""

import tomllib
from pathlib import Path

import pytest

from unitymail.mail.sensitivity import parse_secure_headers
from unitymail.routing.categorise import read
from unitymail.routing.evidence import Evidence
from unitymail.settings.site import SiteSettings

VECTORS = Path(__file__).parent.parent / "vectors"
INDEX = tomllib.loads((VECTORS / "index.toml").read_text("utf-8"))["message"]
SECURE = parse_secure_headers(SiteSettings().secure_headers)


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["file"])
def test_is_what_the_index_says(entry):
    """Category, rule, sensitivity, secure flag, importance and malformed flag."""
    message = read((VECTORS / entry["file"]).read_bytes(), SECURE)
    assert {
        "category": message.category.value,
        "rule": message.rule,
        "sensitivity": message.sensitivity.value,
        "secure": message.secure,
        "importance": message.importance.value,
        "malformed": message.malformed,
    } == {name: entry[name] for name in ("category", "rule", "sensitivity", "secure", "importance", "malformed")}


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: entry["file"])
def test_the_short_cut_for_plain_text_changes_nothing(entry, monkeypatch):
    """A message that is one text is what the rules would have said."""
    octets = (VECTORS / entry["file"]).read_bytes()
    quick = read(octets, SECURE)
    monkeypatch.setattr(Evidence, "is_plain_text", False)
    assert read(octets, SECURE) == quick


def test_every_file_is_in_the_index():
    """No vector is left out of the table, and the index names no file that is not there."""
    assert sorted(entry["file"] for entry in INDEX) == sorted(path.name for path in VECTORS.glob("*.eml"))
