from __future__ import annotations

import json
import re
import shutil
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from seqdl.errors import FormatError, InputError, MissingFileError
from seqdl.report.build import build_report
from seqdl.report.folder import RunFolder
from seqdl.report.page import SECTIONS, render
from seqdl.report.section import Section

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Outline(HTMLParser):
    """Collects ids, headings, what is fetched, and tags that do not close."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.levels: list[int] = []
        self.fetched: list[str] = []
        self.unnamed: list[str] = []
        self.open: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "svg" and found.get("aria-hidden") != "true" and not found.get("aria-label"):
            self.unnamed.append(self.get_starttag_text() or "")
        for name in ("src", "href", "xlink:href", "srcset", "data", "poster"):
            value = found.get(name) or ""
            if value.startswith("#"):
                self.targets.append(value[1:])
            elif value and not value.startswith("data:"):
                self.fetched.append(value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    return found


@pytest.fixture(scope="module")
def page(finished_run: Path) -> str:
    return render(RunFolder(finished_run))


def test_the_page_is_written_whole_beside_the_other_files_and_stays_small(run_folder):
    target = build_report(run_folder)
    assert target == run_folder / "report.html"
    text = target.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.rstrip().endswith("</html>")
    assert 20_000 < len(text.encode()) < 2_000_000
    assert not [path.name for path in run_folder.iterdir() if path.name.startswith((".", "report.html."))]


def test_the_same_folder_gives_the_same_bytes(run_folder):
    first = build_report(run_folder).read_bytes()
    assert build_report(str(run_folder)).read_bytes() == first


def test_the_manifest_keeps_the_right_checksum_of_the_page(run_folder):
    target = build_report(run_folder)
    manifest = json.loads((run_folder / "manifest.json").read_text())
    assert manifest["outputs"]["report.html"]["sha256"] == sha256(target.read_bytes()).hexdigest()
    assert set(manifest["outputs"]) == {"report.html", "log.csv"}


def test_nothing_is_fetched_from_outside_the_file(page):
    found = outline(page)
    assert found.fetched == []
    assert not re.search(r"@import|url\(\s*['\"]?(?!#|data:)|\bfetch\s*\(|XMLHttpRequest|WebSocket|importScripts", page)
    assert "default-src 'none'" in page


def test_the_markup_closes_its_tags_and_repeats_no_id(page):
    found = outline(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert set(found.targets) <= set(found.ids)


def test_pictures_have_words_and_headings_skip_no_level(page):
    found = outline(page)
    assert found.unnamed == []
    assert found.levels[0] == 1
    assert found.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(found.levels, found.levels[1:], strict=False))


@pytest.mark.parametrize("maker", SECTIONS, ids=lambda maker: maker.__name__)
def test_every_section_of_a_complete_run_has_something_to_show(finished_run, maker):
    section = maker(RunFolder(finished_run))
    if maker.__name__ in ("learned", "along"):  # of runs without targets, or with targets along the sequence
        assert section is None
        return
    assert section.absent == ""
    assert section.title


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("metrics.json", "There are no test metrics in this run folder"),
        ("predictions.tsv", "There is no predictions.tsv in this run folder"),
        ("log.csv", "There is no log of the epochs"),
        ("motifs", "There are no motifs in this run folder"),
        ("attributions", "There are no attributions in this run folder"),
        ("audit.json", "There is no audit in this run folder"),
        ("data/dropped.tsv", "There is no ledger in this run folder"),
    ],
)
def test_an_absent_file_is_said_in_words_and_the_page_still_builds(run_folder, gone, words):
    path = run_folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    text = build_report(run_folder).read_text(encoding="utf-8")
    assert words in text
    assert outline(text).open == []


def test_a_folder_with_nothing_but_a_config_still_gives_a_page(tmp_path):
    (tmp_path / "config.yaml").write_text("task: {name: vae}\nseed: 3\n")
    text = build_report(tmp_path).read_text(encoding="utf-8")
    assert "Not scored yet" in text
    assert "the task is vae" in text


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere: no such folder. Expected the folder of a training run"):
        build_report(tmp_path / "nowhere")


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "x.fa").write_text(">a\nACGT\n")
    with pytest.raises(InputError, match=r"x\.fa is a file. Expected the folder"):
        build_report(tmp_path / "x.fa")


def test_a_folder_that_is_no_run_is_refused_and_left_alone(tmp_path):
    with pytest.raises(InputError, match=r"is not a run folder: it holds none of config\.yaml, metrics\.json"):
        build_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metrics.json", "{", r"metrics\.json cannot be read \(JSONDecodeError"),
        ("metrics.json", "[1]", r"metrics\.json holds a list. Expected a mapping"),
        ("predictions.tsv", "name\tscore\na\t1\n", r"predictions\.tsv has no column id, split"),
        ("attributions/examples.npz", "no archive", r"examples\.npz cannot be read"),
        ("config.yaml", "a: [", r"config\.yaml cannot be read"),
    ],
)
def test_a_broken_file_is_named_and_the_old_page_stays(run_folder, name, content, message):
    before = build_report(run_folder).read_bytes()
    (run_folder / name).write_text(content)
    with pytest.raises(FormatError, match=message):
        build_report(run_folder)
    assert (run_folder / "report.html").read_bytes() == before


def test_names_from_files_cannot_become_markup(run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    metrics["outputs"] = ["<script>alert(1)</script>"]
    metrics["baselines"]["pwm"]["detail"] = "<img src=http://x.org/a.png>"
    (run_folder / "metrics.json").write_text(json.dumps(metrics))
    text = build_report(run_folder).read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert outline(text).fetched == []


def test_a_further_section_is_a_function_and_a_section_of_none_is_left_out(finished_run):
    text = render(RunFolder(finished_run), [lambda run: Section("samples", "Samples", absent="None were drawn."), lambda run: None])
    assert text.count("<section ") == 1
    assert "None were drawn." in text


def test_undefined_measures_are_dashes(run_folder):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    metrics["test"]["mcc"] = {"value": None, "low": None, "high": None}
    metrics["baselines"]["gc"]["auprc"] = {"value": None}
    (run_folder / "metrics.json").write_text(json.dumps(metrics))
    assert "not defined" in build_report(run_folder).read_text(encoding="utf-8")


def test_a_run_with_two_outputs_draws_both(run_folder):
    import pandas as pd

    table = pd.read_csv(run_folder / "predictions.tsv", sep="\t")
    table = table.assign(
        target_A=table["target"], prediction_A=table["prediction"], target_B=1 - table["target"], prediction_B=1 - table["prediction"]
    )
    table.drop(columns=["target", "prediction", "logit"]).to_csv(run_folder / "predictions.tsv", sep="\t", index=False)
    metrics = json.loads((run_folder / "metrics.json").read_text()) | {"task": "multilabel", "outputs": ["A", "B"]}
    (run_folder / "metrics.json").write_text(json.dumps(metrics))
    text = build_report(run_folder).read_text(encoding="utf-8")
    assert "<h3>A</h3>" in text
    assert "<h3>B</h3>" in text
    assert text.count("ROC curve on the test set") == 2


def test_numbers_of_an_objective_of_ones_own_say_why_there_is_no_curve(run_folder):
    import pandas as pd

    table = pd.read_csv(run_folder / "predictions.tsv", sep="\t")
    table["target"] = table["logit"] * 2
    table.to_csv(run_folder / "predictions.tsv", sep="\t", index=False)
    metrics = {"task": "heights", "outputs": ["activity"], "test": {"pearson": {"value": 0.61, "low": 0.55, "high": 0.66}}, "baselines": {}}
    (run_folder / "metrics.json").write_text(json.dumps(metrics))
    text = build_report(run_folder).read_text(encoding="utf-8")
    assert "ROC, precision and calibration need two classes" in text
    assert "Pearson r 0.610" in text


def test_baselines_are_drawn_where_their_scores_are_there(run_folder):
    import pandas as pd

    table = pd.read_csv(run_folder / "predictions.tsv", sep="\t")
    table.assign(baseline_pwm=table["logit"].round()).to_csv(run_folder / "predictions.tsv", sep="\t", index=False)
    assert re.search(r"Area under the curve: network 0\.\d+, best known motif 0\.\d+", build_report(run_folder).read_text(encoding="utf-8"))
