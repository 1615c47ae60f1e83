"""Bad input: exit code 1, one line that names the fault, no traceback, and nothing left behind."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from seqdl.cli.main import main


@pytest.fixture
def refused(tiny, tmp_path, monkeypatch, capsys):
    """Return a function that runs train on bad input and returns the one line it answers."""
    monkeypatch.setenv("SEQDL_QUIET", "1")
    monkeypatch.setenv("SEQDL_CACHE", str(tmp_path / "cache"))

    def run(*words: object, code: int = 1) -> str:
        inputs = set(tmp_path.iterdir())
        output = tmp_path / "run"
        assert main(["train", *tiny.options, *map(str, words), "-o", str(output), "--quiet"]) == code
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1, said.err
        assert said.err.startswith("seqdl: error: ")
        assert not output.exists()
        assert {path for path in tmp_path.iterdir() if path.name != "cache"} <= inputs | {tmp_path / "run"}
        assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and "part" in path.name]
        return said.err

    return run


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def text(path: str) -> str:
    return Path(path).read_text()


GFF = "chrI\tSGD\tgene\t100\t200\t.\t+\t.\tID=YAL001C\n"
BAD_BEDS = {
    "other chromosome names": (lambda good: good.replace("chr", ""), r"I, II, III.* The genome has chrI, chrII.*--rename-chromosomes"),
    "one unknown chromosome": (lambda good: good + "chrX\t10\t70\n", r"1 of 73 intervals .*chrX.*The genome has chrI"),
    "past its chromosome": (lambda good: good + "chrI\t5990\t6100\n", r"chrI:5,990-6,100 \(chrI is 6,000 bp\)"),
    "start equals end": (lambda good: good + "chrI\t60\t60\n", r"line 73: start 60 is not before end 60"),
    "start behind end": (lambda good: good + "chrI\t90\t60\n", r"line 73: start 90 is not before end 60"),
    "negative start": (lambda good: good + "chrI\t-5\t60\n", r"line 73: start -5 is negative"),
    "no number": (lambda good: good + "chrI\tten\t60\n", r"line 73: start 'ten' is no integer"),
    "two columns": (lambda _: "chrI\t100\n", r"line 1: 2 columns"),
    "GFF": (lambda _: GFF, r"line 1: this looks like GFF or GTF, not BED"),
    "FASTA": (lambda _: ">a\nACGT\n", r"line 1: this is FASTA, not BED"),
    "empty": (lambda _: "", r"holds no interval"),
    "comments only": (lambda _: "# nothing\ntrack name=x\n\n", r"holds no interval"),
    "binary": (lambda _: "\x00\x01\x02" * 99, r"is not text"),
    "two peaks": (lambda good: "".join(good.splitlines(keepends=True)[:2]), r"chromosomes? with examples"),
}


@pytest.mark.parametrize("kind", BAD_BEDS)
def test_a_bad_bed_is_refused(kind, refused, tiny, tmp_path):
    change, message = BAD_BEDS[kind]
    peaks = write(tmp_path / "bad.bed", change(text(tiny.path("peaks.bed"))))
    assert_says(refused("--genome", tiny.path("genome.fa"), "--peaks", peaks), message)


BAD_GENOMES = {
    "duplicate names": (lambda good: good + good, r"a second chromosome is called 'chrI'"),
    "protein": (lambda _: ">chrI\nMKVLAAGIVGLLLAQPAWEEKK\n", r"chromosome 'chrI': letter 'L' at position 4 .*protein"),
    "an empty chromosome": (lambda good: ">chrM\n" + good, r"line 1: chromosome 'chrM' is empty"),
    "empty": (lambda _: "", r"holds no FASTA record"),
    "no header": (lambda _: "ACGTACGT\n", r"line 1: there is text before the first '>'"),
    "truncated gzip": (lambda good: gzip.compress(good.encode())[:-2_000], r"is cut short: its gzip stream ends too early"),
}


@pytest.mark.parametrize("kind", BAD_GENOMES)
def test_a_bad_genome_is_refused(kind, refused, tiny, tmp_path):
    change, message = BAD_GENOMES[kind]
    genome = write(tmp_path / "bad.fa", change(text(tiny.path("genome.fa"))))
    assert_says(refused("--genome", genome, "--peaks", tiny.path("peaks.bed")), message)


BAD_FASTAS = {
    "protein": (lambda good: good.replace(">pos3\n", ">pos3\nMKVLEEQ\n"), r"record 'pos3': letter 'L' at position 4 .*protein"),
    "an empty record": (lambda good: good + ">last\n", r"line 121: record 'last' is empty"),
    "empty": (lambda _: "", r"is empty\. FASTA records"),
    "no header": (lambda _: "ACGT\n", r"line 1: 'ACGT' stands before the first header"),
    "too few": (lambda good: good[:700], r"at least 2 of either class are needed in train, val, test \(train 9 \+ 48, val 1 \+ 6, test 1 \+ 6\)"),
    "one record": (lambda _: ">a\n" + "ACGT" * 15 + "\n", r"holds 1 positives: at least 2 of either class are needed"),
    "truncated gzip": (lambda good: gzip.compress(good.encode())[:-30], r"is cut short: its gzip stream ends too early"),
    "a BED": (lambda _: "chrI\t100\t200\n", r"line 1: 'chrI"),
}


@pytest.mark.parametrize("kind", BAD_FASTAS)
@pytest.mark.parametrize("place", [0, 1])
def test_a_bad_fasta_is_refused(kind, place, refused, tiny, tmp_path):
    change, message = BAD_FASTAS[kind]
    files = list(tiny.fasta)
    good = text(files[place]).replace(">neg", ">pos")
    files[place] = write(tmp_path / "bad.fa", change(good))
    if place == 1:
        message = message.replace("1 positives", "1 negatives").replace(r"9 \+ 48, val 1 \+ 6, test 1 \+ 6", r"48 \+ 9, val 6 \+ 1, test 6 \+ 1")
    assert_says(refused(*files), message)


@pytest.mark.parametrize("flag", ["--genome", "--peaks", "--fasta", "--exclude", "--negatives", "--config", "--database"])
@pytest.mark.parametrize("kind", ["missing", "folder"])
def test_a_file_that_is_no_file_is_named(flag, kind, tiny, tmp_path, capsys):
    wrong = tmp_path / "wrong" if kind == "missing" else tmp_path
    words = ["train", *tiny.options, "--quiet", "-o", str(tmp_path / "run")]
    inputs = {"--genome": tiny.path("genome.fa"), "--peaks": tiny.path("peaks.bed")}
    if flag == "--fasta":
        words += [tiny.fasta[0], str(wrong)]
    else:
        inputs[flag] = str(wrong)
        words += [word for pair in inputs.items() for word in pair]
    assert main(words) == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert str(wrong) in said.err
    assert not (tmp_path / "run").exists()


WRONG_OPTIONS = {
    "--model cnnn": r"no model named 'cnnn'\. Did you mean 'cnn'\?",
    "--task binry": r"no task named 'binry'\. Did you mean 'binary'\?",
    "--model.filter 3": r"no option of model 'cnn' named 'filter'\. Did you mean 'filters'\?",
    "--model.filters many": r"model\.filters is 'many': a whole number was expected",
    "--model.filters 0": r"0 filters, a pooling of 1, a stride of 1 and a dilation of 1: 1 or more was expected of each",
    "--model.filters -2": r"-2 filters, a pooling of 1, .* 1 or more was expected of each",
    "--model.filters null": r"model\.filters is None: a whole number was expected",
    "--model.width 4": r"of width 4 cannot be centred on a base: an odd width was expected\. Use 3 or 5",
    "--model.width 101": r"60 bp long, shorter than the network's filters: at least 101 bp",
    "--model.activation rellu": r"no activation named 'rellu'\. Did you mean 'relu'\?",
    "--negatives gcc": r"--negatives gcc: neither a file nor one of gc, genomic, flank, dinuc",
    "--window 0": r"width is 0 bp; expected 1 or more",
    "--window wide": r"data\.window is 'wide': a whole number was expected",
    "--window 100000": r"no peak is left of 72: .*'reaches past the chromosome end after resizing': 72",
    "--ratio 0": r"ratio is 0",
    "--val-chromosomes chrX": r"no chromosome named 'chrX'\. Did you mean 'chrV'\?",
    "--center top": r"no value for data\.center named 'top'\. .*Available: summit, midpoint",
    "--center summit": r"the intervals have no summit",
    "--split homology": r"--split homology was given for intervals",
    "--chromosome-aliases nowhere.tsv": r"--chromosome-aliases was given without --rename-chromosomes",
    "--max-steps 0": r"training\.max_steps is 0: 1 or more was expected",
    "--max-epochs 0": r"training\.max_epochs is 0: 1 or more was expected",
    "--batch-size 0": r"training\.batch_size is 0: 2 or more was expected",
    "--lr -1": r"training\.lr is -1\.0: .* was expected",
    "--lr nan": r"training\.lr is nan: .* was expected",
    "--warmup 2": r"training\.warmup is 2\.0: 0 to 1 was expected",
    "--members 0": r"members is 0: 1 or more was expected",
    "--strands both": r"no value for strands named 'both'\. Available: shared, average",
    "--set data.windw=3": r"no option in the config section 'data' named 'windw'\. Did you mean 'window'\?",
    "--set dat.window=3": r"no config key named 'dat'\. Did you mean 'data'\?",
    "--set training=5": r"training is 5; a mapping of options was expected",
    "--set training.lr": r"--set training\.lr: KEY=VALUE was expected",
    "--set training.lr=[": r"the value cannot be read",
    "--set model.name.x=3": r"model is \{.* a name, or a mapping",
    "--set seed=-1": r"seed is -1: 0 to 4294967295 was expected",
    "--set ensemble=3": r"ensemble is 3; a list of mappings",
    "--set device=tpu": r"no device named 'tpu'\. Did you mean 'cpu'\?",
    "--folds 2": r"--folds 2: at least 3 were expected",
}


@pytest.mark.parametrize("words", WRONG_OPTIONS)
def test_a_wrong_option_is_refused_with_what_was_expected(words, refused, tiny):
    flag, value = words.split(" ", 1)
    assert_says(refused(*tiny.peaks, *([f"{flag}={value}"] if value.startswith("-") else [flag, value])), WRONG_OPTIONS[words])


CONTRADICTIONS = {
    "both sources": (lambda tiny: [*tiny.peaks, "--fasta", *tiny.fasta], r"several of --table, --fasta and --genome with --peaks were given"),
    "a genome alone": (lambda tiny: tiny.peaks[:2], r"--genome was given without --peaks"),
    "peaks alone": (lambda tiny: tiny.peaks[2:], r"--peaks was given without --genome"),
    "nothing": (lambda _: [], r"no data were given: expected --genome G\.fa --peaks P\.bed, or two FASTA"),
    "one FASTA": (lambda tiny: tiny.fasta[:1], r"one FASTA was given and no negatives"),
    "three FASTA": (lambda tiny: [*tiny.fasta, tiny.fasta[0]], r"--fasta was given 3 files"),
    "a test set alone": (lambda tiny: [*tiny.peaks, "--test-fasta", *tiny.fasta], r"--test-fasta was given without training sequences"),
    "half a test set": (lambda tiny: [*tiny.fasta, "--test-fasta", tiny.fasta[0]], r"--test-fasta was given 1 file: two were expected"),
    "FASTA by chromosome": (lambda tiny: [*tiny.fasta, "--split", "chromosome"], r"--split chromosome was given with sequences"),
    "everything excluded": (lambda tiny: [*tiny.peaks, "--exclude", tiny.path("peaks.bed")], r"no peak is left of 72: .*overlaps an excluded region"),
    "nothing to resume": (lambda tiny: [*tiny.peaks, "--resume"], r"there is no config\.yaml, so nothing to resume"),
}


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_inputs_that_do_not_go_together_are_refused(kind, refused, tiny):
    words, message = CONTRADICTIONS[kind]
    assert_says(refused(*words(tiny)), message)


RAGGED = "".join(f">s{i}\n{'ACGT' * 5}{'A' * (i % 3)}\n" for i in range(30))
OF_ONE_LENGTH = {
    "--task autoencoder": r"the sequences are 20 to 22 bp long, and the task autoencoder is for one length: a rule .* Add --crop BP",
    "--task vae": r"the sequences are 20 to 22 bp long, and the task vae is for one length: a rule .* Add --crop BP",
    "--task gan": r"the sequences are 20 to 22 bp long, and the task gan is for one length: a rule .* Add --crop BP",
    "--task vae --crop 20 --task.latent 81": r"81 latents were asked for: 1 to 80, the size of the input of 20 bp, .* Lower --task\.latent",
    "--task autoencoder --crop 20 --task.latent 81": r"81 latents were asked for: 1 to 80, the size of the input of 20 bp",
    "--task vae --crop 20 --task.decoder convv": r"no decoder named 'convv'\. Did you mean 'conv'\?",
    "--task vae --crop 20 --task.beta -1": r"beta -1\.0, anneal 0\.5 and free_bits 0\.1 were given",
}


@pytest.mark.parametrize("words", OF_ONE_LENGTH)
def test_what_gives_sequences_back_is_refused_lengths_and_latents_that_do_not_fit(words, refused, tmp_path):
    fasta = write(tmp_path / "ragged.fa", RAGGED)
    assert_says(refused("--fasta", fasta, "--split", "random", *words.replace("beta -1", "beta=-1").split()), OF_ONE_LENGTH[words])


def test_a_gan_is_refused_sequences_too_few_to_be_held_against(refused, tmp_path):
    fasta = write(tmp_path / "few.fa", "".join(f">s{i}\n{'ACGT' * 6}\n" for i in range(30)))
    assert_says(
        refused("--fasta", fasta, "--split", "random", "--task", "gan"),
        r"there are 30 sequences, 3 of them in the validation split .*: 10 there, or about 100 in all",
    )


YAMLS = {
    "data: [": r"not readable as YAML",
    "- a": r"holds a list; a mapping such as 'data: \.\.\.' was expected",
    "dat: {}": r"no config key named 'dat'\. Did you mean 'data'\?",
    "training: {lr: fast}": r"training\.lr is 'fast': a number was expected",
    "training: {lr: }": r"training\.lr is None: a number was expected",
    "training: [1]": r"training is \[1\]; a mapping of options was expected",
}


@pytest.mark.parametrize("content", YAMLS)
def test_a_bad_config_is_refused(content, refused, tiny, tmp_path):
    config = write(tmp_path / "bad.yaml", content)
    assert_says(refused(config, *tiny.peaks), YAMLS[content])


def test_two_configs_are_one_too_many(refused, tmp_path):
    files = [write(tmp_path / name, "seed: 1\n") for name in ("a.yaml", "b.yml")]
    assert_says(refused(*files), r"2 configs were given .*: one was expected")


def test_an_existing_run_folder_is_left_as_it_is(tiny, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("seed: 7\n")
    assert main(["train", *tiny.peaks, *tiny.options, "-o", str(tmp_path / "run"), "--quiet"]) == 1
    assert_says(capsys.readouterr().err, r"is there already and not empty\. Go on with --resume, replace it with --force")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["config.yaml"]
    assert (tmp_path / "run" / "config.yaml").read_text() == "seed: 7\n"


def test_a_file_is_no_run_folder(tiny, tmp_path, capsys):
    write(tmp_path / "run", "mine")
    assert main(["train", *tiny.peaks, *tiny.options, "-o", str(tmp_path / "run"), "--force", "--quiet"]) == 1
    assert_says(capsys.readouterr().err, r"is a file; a folder that does not exist yet was expected")
    assert text(str(tmp_path / "run")) == "mine"


def test_a_folder_that_cannot_be_made_is_named(tiny, tmp_path, capsys):
    write(tmp_path / "file", "mine")
    assert main(["train", *tiny.peaks, *tiny.options, "-o", str(tmp_path / "file" / "run"), "--quiet"]) == 1
    assert_says(capsys.readouterr().err, r"file.run.*: Not a directory")


def test_training_needs_the_name_of_a_folder(tiny, capsys):
    assert main(["train", *tiny.peaks, *tiny.options, "--quiet"]) == 1
    assert_says(capsys.readouterr().err, r"no -o was given: .* Add -o RUN")


def test_debug_shows_the_traceback_of_an_error(tiny, tmp_path):
    with pytest.raises(ValueError, match=r"no data were given"):
        main(["train", "--debug", "-o", str(tmp_path / "run"), *tiny.options])


def assert_says(line: str, message: str) -> None:
    assert re.search(message, line), line
