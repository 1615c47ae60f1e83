"""The rules of the code, each a test; and for each a snippet that breaks it, to show that the test can fail."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    **dict.fromkeys(("errors", "registry", "types", "ledger", "progress"), 0),
    **{"sequence": 1, "motif": 2, "io": 3, "data": 4, "layers": 4, "evaluate": 4},
    **dict.fromkeys(("audit", "models", "tasks", "interpret", "plot"), 5),
    **{"report": 6, "experiment": 7, "cli": 8, "__main__": 9},
}
MOST_PARAMETERS, MOST_POSITIONAL = 7, 3
MUTATORS = {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "discard", "clear", "sort", "reverse"}
OPENERS = {
    "open",
    "open_text",
    "read_text",
    "write_text",
    "read_bytes",
    "write_bytes",
    "read_csv",
    "to_csv",
    "load",
    "loadtxt",
    "savetxt",
    "fromfile",
}

Checker = Callable[[str, ast.Module], Iterator[str]]


# what the rules look at -----------------------------------------------------------------------------


def room(module: str) -> str:
    """Return the package below seqdl that a dotted module lies in; "" for seqdl itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(module: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of every import, those in functions and those for types included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], *([base] if base else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def functions(tree: ast.AST, inside: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], ast.FunctionDef | ast.AsyncFunctionDef, bool]]:
    """Yield (names of the path, function, whether it is a method) of every function, nested ones too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (*inside, node.name), node, isinstance(tree, ast.ClassDef)
            yield from functions(node, (*inside, "<function>"))
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, (*inside, node.name))
        else:
            yield from functions(node, inside)


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, *, method: bool) -> tuple[list[ast.arg], list[ast.arg]]:
    """Return the parameters that may be given by position, self left out, and those by keyword alone."""
    positional = [*node.args.posonlyargs, *node.args.args]
    return positional[1 if method and not decorated(node, "staticmethod") else 0 :], node.args.kwonlyargs


def decorated(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> bool:
    """Return whether a decorator of that name stands over a function, called or not."""
    return any(re.search(rf"\b{name}\b", ast.unparse(decorator)) for decorator in node.decorator_list)


def called(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Yield (line, last name, whole text) of every call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            text = ast.unparse(node.func)
            yield node.lineno, text.rpartition(".")[2], text


# the rules --------------------------------------------------------------------------------------------


def imports_upwards(module: str, tree: ast.Module) -> Iterator[str]:
    """A package imports lower floors only; packages of one floor never import each other (everybody raises errors)."""
    here = room(module)
    for line, name in imports(module, tree):
        if name.split(".")[0] != "seqdl" or not here:
            continue
        there = room(name)
        if there not in FLOORS:
            yield f"{line}: imports {name}, which stands on no floor"
        elif there not in (here, "errors") and FLOORS[there] >= FLOORS[here]:
            yield f"{line}: {here} (floor {FLOORS[here]}) imports {name} (floor {FLOORS[there]})"


def names_lightning(module: str, tree: ast.Module) -> Iterator[str]:
    """models, layers and interpret know no Lightning."""
    if room(module) in ("models", "layers", "interpret"):
        yield from (f"{line}: imports {name}" for line, name in imports(module, tree) if "lightning" in name.split(".")[0])


def names_an_architecture_or_task(module: str, tree: ast.Module) -> Iterator[str]:
    """tasks name no architecture; models and interpret name no task."""
    forbidden = {"tasks": ("models",), "interpret": ("tasks",), "models": ("tasks",)}.get(room(module), ())
    for line, name in imports(module, tree):
        if name.split(".")[0] == "seqdl" and room(name) in forbidden:
            yield f"{line}: imports {name}"


def opens_a_file(module: str, tree: ast.Module) -> Iterator[str]:
    """sequence and motif are pure: they open no file."""
    if room(module) not in ("sequence", "motif"):
        return
    for line, name in imports(module, tree):
        if name.startswith("seqdl.io") or name.split(".")[0] in ("pathlib", "os", "gzip", "io", "shutil", "tempfile"):
            yield f"{line}: imports {name}"
    yield from (f"{line}: calls {text}" for line, name, text in called(tree) if name in OPENERS)


def reads_a_config(module: str, tree: ast.Module) -> Iterator[str]:
    """Only experiment and cli know of configs; report shows that of a run."""
    if room(module) not in ("experiment", "cli", "report"):
        yield from (f"{line}: imports {name}" for line, name in imports(module, tree) if name.split(".")[0] in ("yaml", "argparse"))


def prints(module: str, tree: ast.Module) -> Iterator[str]:
    """Only cli speaks to the user."""
    if room(module) == "cli":
        return
    for line, name, text in called(tree):
        if text == "print" or (name == "write" and text.startswith(("sys.stdout", "sys.stderr"))):
            yield f"{line}: calls {text}"


def many_parameters(module: str, tree: ast.Module) -> Iterator[str]:
    """At most seven parameters, three of them positional; constructors of models and tasks are the config and may have more by keyword."""
    for path, node, method in functions(tree):
        if decorated(node, "njit|_compiled|_jit") or (method and (node.name.startswith("on_") or node.name == "__torch_dispatch__")):
            continue  # numba takes arguments by position only, and the signature of a hook is Lightning's or torch's
        positional, keyword = parameters(node, method=method)
        is_config = room(module) in ("models", "tasks") and node.name == "__init__"
        if len(positional) > MOST_POSITIONAL:
            yield f"{node.lineno}: {'.'.join(path)} has {len(positional)} positional parameters"
        if len(positional) + len(keyword) > MOST_PARAMETERS and not is_config:
            yield f"{node.lineno}: {'.'.join(path)} has {len(positional) + len(keyword)} parameters"


def positional_booleans(module: str, tree: ast.Module) -> Iterator[str]:
    """A bare True at a call says nothing: booleans are given by keyword."""
    for path, node, method in functions(tree):
        if decorated(node, "njit|_compiled|_jit"):
            continue
        positional, _ = parameters(node, method=method)
        defaults = dict(zip([a.arg for a in positional][::-1], node.args.defaults[::-1], strict=False))
        for arg in positional:
            default = defaults.get(arg.arg)
            typed = arg.annotation is not None and re.search(r"\bbool\b", ast.unparse(arg.annotation))
            if typed or (isinstance(default, ast.Constant) and isinstance(default.value, bool)):
                yield f"{node.lineno}: {'.'.join(path)} takes the boolean {arg.arg} by position"


def undocumented(module: str, tree: ast.Module) -> Iterator[str]:
    """Every module, public class and public function has a docstring."""
    if not ast.get_docstring(tree):
        yield "1: the module has no docstring"
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node):
            yield f"{node.lineno}: class {node.name} has no docstring"
    for path, function, _ in functions(tree):
        if "<function>" in path or decorated(function, "overload"):
            continue
        if not any(name.startswith("_") for name in path) and not ast.get_docstring(function):
            yield f"{function.lineno}: {'.'.join(path)} has no docstring"


def module_state(module: str, tree: ast.Module) -> Iterator[str]:
    """Nothing at module level changes after import, but the registries."""
    if module == "seqdl.registry":
        return
    targets = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign | ast.AugAssign)]
    state = {t.id for t in targets if isinstance(t, ast.Name)}
    for _, function, _ in functions(tree):
        own = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} | {
            a.arg for a in ast.walk(function) if isinstance(a, ast.arg)
        }
        for node in ast.walk(function):
            changed = None
            if isinstance(node, ast.Global):
                yield f"{node.lineno}: global {', '.join(node.names)}"
            elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
                changed = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
                changed = node.func.value
            if isinstance(changed, ast.Name) and changed.id in state - own:
                yield f"{node.lineno}: changes {changed.id}"


RULES: dict[Checker, tuple[str, str]] = {
    imports_upwards: ("seqdl.data.genome", "def f():\n    from seqdl.layers import conv"),
    names_lightning: ("seqdl.models.cnn", "import pytorch_lightning as pl"),
    names_an_architecture_or_task: ("seqdl.tasks.binary", "from seqdl.models.cnn import CNN"),
    opens_a_file: ("seqdl.motif.motif", "def f(path):\n    return path.read_text()"),
    reads_a_config: ("seqdl.data.genome", "import yaml"),
    prints: ("seqdl.data.genome", "print('done')"),
    many_parameters: ("seqdl.data.genome", "def f(a, b, c, d): ..."),
    positional_booleans: ("seqdl.data.genome", "def f(a, force=False): ..."),
    undocumented: ("seqdl.data.genome", '"""A module."""\ndef f(): ...'),
    module_state: ("seqdl.data.genome", "CACHE = {}\ndef f(key):\n    CACHE[key] = 1"),
}
MORE_BREACHES: list[tuple[Checker, str, str]] = [
    (imports_upwards, "seqdl.motif.scan", "from ..io import fasta"),
    (imports_upwards, "seqdl.io.bed", "from seqdl import data"),
    (imports_upwards, "seqdl.io.bed", "import seqdl.cellar.wine"),
    (opens_a_file, "seqdl.sequence.encode", "from seqdl.io.fasta import read_fasta"),
    (opens_a_file, "seqdl.sequence.encode", "handle = open('x')"),
    (prints, "seqdl.data.genome", "import sys\nsys.stderr.write('x')"),
    (many_parameters, "seqdl.data.genome", "class A:\n    def f(self, *, a, b, c, d, e, f, g, h): ..."),
    (many_parameters, "seqdl.models.cnn", "class A:\n    def __init__(self, a, b, c, d): ..."),
    (positional_booleans, "seqdl.data.genome", "def f(force: bool): ..."),
    (module_state, "seqdl.data.genome", "SEEN = []\ndef f(x):\n    SEEN.append(x)"),
    (module_state, "seqdl.data.genome", "n = 0\ndef f():\n    global n\n    n += 1"),
]
ALLOWED: list[tuple[Checker, str, str]] = [
    (imports_upwards, "seqdl.cli.train", "from seqdl.experiment.train import train"),
    (many_parameters, "seqdl.models.cnn", "class A:\n    def __init__(self, *, a, b, c, d, e, f, g, h): ..."),
    (positional_booleans, "seqdl.data.genome", "def f(a, *, force: bool = False): ..."),
    (module_state, "seqdl.data.genome", "TABLE = {}\ndef f(table):\n    table['a'] = 1\n    return TABLE['a']"),
    (undocumented, "seqdl.data.genome", '"""A module."""\ndef _f(): ...'),
    (many_parameters, "seqdl.data.genome", "@numba.njit(cache=True)\ndef f(a, b, c, d): ..."),
    (imports_upwards, "seqdl.registry", "from seqdl.errors import InputError"),
]


def faults(check: Checker) -> list[str]:
    """Return what breaks a rule in the package, as "file:line: what"."""
    found = []
    for path in sorted((ROOT / "seqdl").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [f"{path.relative_to(ROOT)}:{fault}" for fault in check(module, tree)]
    return found


@pytest.mark.parametrize("check", RULES, ids=lambda check: check.__name__)
def test_no_file_breaks_the_rule(check):
    assert faults(check) == [], check.__doc__


@pytest.mark.parametrize(
    ("check", "module", "snippet"),
    [*((check, *breach) for check, breach in RULES.items()), *MORE_BREACHES],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_snippet_that_breaks_the_rule_is_found(check, module, snippet):
    assert list(check(module, ast.parse(snippet)))


@pytest.mark.parametrize(("check", "module", "snippet"), ALLOWED, ids=lambda value: getattr(value, "__name__", None))
def test_a_snippet_that_keeps_the_rule_passes(check, module, snippet):
    assert not list(check(module, ast.parse(snippet)))


def test_every_import_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [entry for extra, entries in project["optional-dependencies"].items() if extra != "dev" for entry in entries]
    declared = [*project["dependencies"], *extras]
    names = {re.split(r"[<>=!~ \[]", entry)[0].lower().replace("-", "_") for entry in declared}
    imported_as = {"bio": "biopython", "sklearn": "scikit_learn", "yaml": "pyyaml", "umap": "umap_learn", "modiscolite": "modisco_lite"}
    imported_as["lightning_fabric"] = "pytorch_lightning"  # comes with it
    used = {}
    for path in sorted((ROOT / "seqdl").rglob("*.py")):
        for _, name in imports("seqdl", ast.parse(path.read_text(encoding="utf-8"))):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top != "seqdl":
                used.setdefault(imported_as.get(top.lower(), top.lower()), path.name)
    assert {name: where for name, where in used.items() if name not in names} == {}
