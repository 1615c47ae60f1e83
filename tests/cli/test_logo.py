from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from seqdl.cli.main import main
from seqdl.io.motifs import write_jaspar, write_meme, write_transfac
from seqdl.motif.motif import Motif

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def motifs() -> list[Motif]:
    rng = np.random.default_rng(0)
    return [Motif(name, rng.dirichlet([0.3] * 4, size=8).T, alt_name=alt) for name, alt in (("m/1", "REB1"), ("M_1", "reb1"), ("m3", "ABF1"))]


@pytest.fixture
def meme(tmp_path, motifs):
    write_meme(tmp_path / "m.meme", motifs)
    return tmp_path / "m.meme"


@pytest.mark.parametrize("writer", [write_meme, write_jaspar, write_transfac])
def test_a_folder_gets_one_logo_a_motif(tmp_path, motifs, writer, capsys):
    writer(tmp_path / "motifs.txt", motifs)
    assert main(["logo", str(tmp_path / "motifs.txt"), "-o", str(tmp_path / "logos")]) == 0
    assert sorted(path.name for path in (tmp_path / "logos").iterdir()) == ["M_1_reb1_2.svg", "m3_ABF1.svg", "m_1_REB1.svg"]
    for path in (tmp_path / "logos").iterdir():
        ET.parse(path)
    assert capsys.readouterr().out == ""


def test_without_output_the_svg_goes_to_stdout(meme, capsys):
    assert main(["logo", str(meme)]) == 0
    root = ET.fromstring(capsys.readouterr().out)
    assert len(list(root.iter(f"{SVG}svg"))) == 4


def test_a_motif_is_chosen_by_either_name_in_any_case(meme, tmp_path, capsys):
    assert main(["logo", str(meme), "--motif", "abf1", "-o", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert main(["logo", str(meme), "--motif", "REB2"]) == 1
    assert "no motif named 'REB2'. Did you mean" in capsys.readouterr().err


def test_several_motifs_fit_in_one_svg_but_not_in_one_png(meme, tmp_path, capsys):
    assert main(["logo", str(meme), "-o", str(tmp_path / "all.svg")]) == 0
    assert main(["logo", str(meme), "-o", str(tmp_path / "all.png")]) == 1
    assert "holds 3 motifs" in capsys.readouterr().err


def test_existing_logos_are_kept_without_force(meme, tmp_path, capsys):
    folder = tmp_path / "logos"
    arguments = ["logo", str(meme), "-o", str(folder)]
    assert main(arguments) == 0
    (folder / "m3_ABF1.svg").write_text("mine")
    assert main(arguments) == 1
    assert "pictures are there already" in capsys.readouterr().err
    assert (folder / "m3_ABF1.svg").read_text() == "mine"
    assert main([*arguments, "--force"]) == 0
    assert (folder / "m3_ABF1.svg").read_text().startswith("<svg")


def test_aligned_sequences_are_drawn(tmp_path, capsys, monkeypatch):
    (tmp_path / "sites.fa").write_text(">a\nACGT\n>b\nACGA\n>c\nAC-A\n")
    assert main(["logo", str(tmp_path / "sites.fa"), "-o", str(tmp_path / "sites.svg")]) == 0
    assert "sites" in (tmp_path / "sites.svg").read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO(">a\nACGT\n>b\nACGA\n"))
    assert main(["logo", "-"]) == 0
    assert capsys.readouterr().out.startswith("<svg")


def test_sequences_that_are_not_aligned_leave_no_folder(tmp_path, capsys):
    (tmp_path / "x.fa").write_text(">a\nACGT\n>b\nACG\n")
    assert main(["logo", str(tmp_path / "x.fa"), "-o", str(tmp_path / "logos")]) == 1
    assert "expected aligned sites of one length" in capsys.readouterr().err
    assert not (tmp_path / "logos").exists()


def test_attributions_are_drawn_as_tracks(tmp_path, capsys):
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (2, 30)).astype(np.uint8)
    np.savez(tmp_path / "a.npz", codes=codes, attributions=rng.normal(size=(2, 4, 30)).astype(np.float32), id=np.array(["peak1", "chr1:5-9"]))
    assert main(["logo", str(tmp_path / "a.npz"), "-o", str(tmp_path / "tracks"), "--json"]) == 0
    written = json.loads(capsys.readouterr().out)["outputs"]
    assert [path.rsplit("/", 1)[1] for path in written] == ["peak1.svg", "chr1_5-9.svg"]
    for path in written:
        assert ET.parse(path).getroot().tag == f"{SVG}svg"
    assert main(["logo", str(tmp_path / "a.npz"), "-o", str(tmp_path / "one.svg")]) == 1
    assert "one picture takes one track" in capsys.readouterr().err


def test_probability_and_the_other_strand_can_be_asked_for(meme, capsys):
    assert main(["logo", str(meme), "--motif", "m3", "--kind", "probability", "--reverse-complement"]) == 0
    assert ">probability<" in capsys.readouterr().out


def test_a_database_can_be_drawn_by_name(tmp_path):
    assert main(["logo", "jaspar:fungi", "--motif", "REB1", "-o", str(tmp_path / "reb1.svg")]) == 0
    assert "REB1" in (tmp_path / "reb1.svg").read_text()
