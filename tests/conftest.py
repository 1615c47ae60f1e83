"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def private_cache(tmp_path_factory):
    """Keep the tests' genome cache out of the user's."""
    before = os.environ.get("SEQDL_CACHE")
    os.environ["SEQDL_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["SEQDL_CACHE"]
    else:
        os.environ["SEQDL_CACHE"] = before


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data, or skip (fail where SEQDL_REQUIRE_DATA is set)."""
    folder = Path(os.environ.get("SEQDL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        message = f"real data are not at {folder}; set SEQDL_DATA to their folder"
        if os.environ.get("SEQDL_REQUIRE_DATA"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
