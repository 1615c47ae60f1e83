from __future__ import annotations

import argparse
from types import SimpleNamespace

import pytest

from seqdl.cli import report
from seqdl.errors import InputError


@pytest.fixture
def console():
    lines: list[object] = []
    return SimpleNamespace(json_mode=False, result=lines.append, emit=lines.append, lines=lines)


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    report.configure(parser)
    return parser.parse_args(words)


def test_the_verb_says_where_the_page_is(run_folder, console):
    assert report.run(parsed(str(run_folder)), console) == 0
    assert console.lines == [str(run_folder / "report.html")]


def test_the_verb_answers_in_json(run_folder, console):
    console.json_mode = True
    report.run(parsed(str(run_folder)), console)
    assert console.lines == [{"report": str(run_folder / "report.html")}]


def test_a_folder_that_is_no_run_is_an_error_of_the_user(tmp_path, console):
    with pytest.raises(InputError, match="is not a run folder"):
        report.run(parsed(str(tmp_path)), console)
