"""The rules of the repository: its files, how fast the door opens, what is declared and pinned."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_LINES = 400
HELP_SECONDS = 0.4
HEAVY = ("torch", "pandas", "numba", "matplotlib")
FORBIDDEN_NAMES = ("utils.py", "helpers.py", "misc.py", "common.py")
HOW_IT_WAS_MADE = re.compile(
    r"\b(?:this|last|earlier|previous|next|later|another) session\b|\bissues? #?\d|\bthe lead\b|"
    r"\b(?:plan|DESIGN|INTERFACE|LIBRARIES|SCIENCE|SPEED)\.md\b",
    re.IGNORECASE,
)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|farm|opt|mnt|Users|home)/[\w.]")


# files ------------------------------------------------------------------------------------------------


def project_files() -> list[Path]:
    """Return what git tracks or would track; without git, what is in the folders of the project."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.splitlines() if listed.returncode == 0 else []
    paths = [ROOT / name for name in names] or [p for folder in ("seqdl", "tests", "configs", "notebooks") for p in (ROOT / folder).rglob("*")]
    return [path for path in paths if path.is_file() and "__pycache__" not in path.parts]


def text_of(path: Path) -> str:
    """Return a file as text; "" for what is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def long_file(text: str) -> list[str]:
    """Return a fault for a file that is too long to be read in one sitting."""
    n = len(text.splitlines())
    return [f"{n} lines"] if n > MOST_LINES else []


def says_how_it_was_made(text: str) -> list[str]:
    """Return the places where a file speaks of its making, or names a path of one machine."""
    return [
        f"{number}: {match.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in (*HOW_IT_WAS_MADE.finditer(line), *MACHINE_PATH.finditer(line))
    ]


def test_no_file_is_over_four_hundred_lines():
    source = [path for path in project_files() if path.suffix in (".py", ".js", ".css", ".html")]
    assert {str(path.relative_to(ROOT)): long_file(text_of(path)) for path in source if long_file(text_of(path))} == {}
    assert long_file("x = 1\n" * 401) == ["401 lines"]


def test_no_file_is_a_drawer_for_odds_and_ends():
    found = [str(p.relative_to(ROOT)) for p in project_files() if p.name in FORBIDDEN_NAMES or "experimental" in p.parts or p.stem.endswith("_old")]
    assert found == []


def test_no_file_says_how_it_was_made_or_names_a_path_of_one_machine():
    found = {str(path.relative_to(ROOT)): says_how_it_was_made(text_of(path)) for path in project_files()}
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize("text", ["as the last " + "session left it", "see issue " + "12", "/" + "work/data/x.fa", "cd /" + "root/x"])
def test_a_text_that_says_how_it_was_made_is_found(text):
    assert says_how_it_was_made(text)


def test_the_stored_notebooks_hold_no_output():
    books = [path for path in project_files() if path.suffix == ".ipynb"]
    cells = [(path.name, cell) for path in books for cell in json.loads(text_of(path))["cells"] if cell["cell_type"] == "code"]
    assert [name for name, cell in cells if cell["outputs"] or cell["execution_count"]] == []


# what is imported, and when --------------------------------------------------------------------------


def after(statements: str) -> tuple[set[str], float]:
    """Run statements in a fresh interpreter; return the heavy modules they loaded, and the CPU seconds they took."""
    code = f"import os, sys\nsys.stdout = open(os.devnull, 'w')\n{statements}\nsys.__stdout__.write(' '.join(sys.modules))"
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "COVERAGE_PROCESS_START": ""})
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    loaded = {name for name in done.stdout.split() if name in HEAVY}
    return loaded, ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime


def verbs() -> list[str]:
    """Return the verbs of the command line."""
    from seqdl.cli.main import VERBS

    return sorted(VERBS)


@pytest.mark.parametrize("statements", ["import seqdl", "from seqdl.cli.main import main\nassert main(['--help']) == 0"], ids=["import", "help"])
def test_the_door_opens_fast_and_loads_nothing_heavy(statements):
    runs = [after(statements) for _ in range(3)]
    assert runs[0][0] == set()
    assert min(seconds for _, seconds in runs) < HELP_SECONDS


@pytest.mark.parametrize("verb", verbs())
def test_the_help_of_a_verb_is_fast_and_loads_nothing_heavy(verb):
    loaded, seconds = after(f"from seqdl.cli.main import main\nassert main([{verb!r}, '--help']) == 0")
    assert loaded == set()
    assert seconds < HELP_SECONDS or min(after(f"from seqdl.cli.main import main\nmain([{verb!r}, '--help'])")[1] for _ in range(3)) < HELP_SECONDS


def test_a_heavy_import_would_be_seen():
    loaded, _ = after("import pandas")
    assert loaded == {"pandas"}


def test_every_public_name_can_be_imported():
    import seqdl

    assert [name for name in seqdl.__all__ if getattr(seqdl, name, None) is None] == []


def test_every_direct_dependency_is_pinned_in_the_constraints():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if "==" in line}
    assert [entry for entry in declared if re.split(r"[<>=!~ \[]", entry)[0].lower() not in pinned] == []


# documents and configs -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_config_is_valid_and_its_header_says_question_data_command_and_result(path):
    from seqdl.experiment.config import make_config, read_config

    make_config(read_config(path))
    header = "".join(line for line in path.read_text(encoding="utf-8").splitlines(keepends=True) if line.startswith("#"))
    assert [word for word in ("question:", "data:", f"configs/{path.name}", "result:") if word not in header.lower()] == []


def test_the_readme_lists_every_verb():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [verb for verb in verbs() if f"`seqdl {verb}" not in readme] == []


def test_every_name_that_the_documents_use_is_public():
    import seqdl

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert script is not None
    compile(script.group(1), "README.md", "exec")
    names = set(re.findall(r"\bseqdl\.([A-Za-z_]+)\(", script.group(1)))
    assert names
    assert names - set(seqdl.__all__) == set()


def test_every_file_that_the_documents_link_to_is_there():
    broken = [
        f"{document.name}: {target}"
        for document in ROOT.glob("*.md")
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
        if not (ROOT / target).exists()
    ]
    assert broken == []
