"""What uv is told of the index that a person's pip is set to use."""

from pathlib import Path

import pytest

from deploy.local.install import told_by_pip

INDEX = "http://127.0.0.1:9/simple"


@pytest.fixture
def pip_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pip.conf of the test's own, which is all that pip knows."""
    for name in ("PIP_INDEX_URL", "PIP_CERT", "UV_DEFAULT_INDEX", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "pip.conf"
    place.write_text(f"[global]\nindex-url = {INDEX}\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(place))
    return place


def test_the_index_of_pips_settings_is_uvs_too(pip_settings: Path) -> None:
    assert told_by_pip()["UV_DEFAULT_INDEX"] == INDEX


def test_what_uv_was_told_itself_goes_before(
    pip_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:8/other")
    assert told_by_pip()["UV_DEFAULT_INDEX"] == "http://127.0.0.1:8/other"


def test_without_settings_uv_is_told_nothing(pip_settings: Path) -> None:
    pip_settings.write_text("")
    assert "UV_DEFAULT_INDEX" not in told_by_pip()
