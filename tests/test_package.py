"""The package as a whole: its layers and what importing it costs."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import brain_tumor_clf

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "brain_tumor_clf"


def test_imports_run_strictly_downward():
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command, "import-linter is not installed"
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def imported_modules(path):
    """Absolute names of the modules that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_room_imports_a_private_module_of_another():
    found = []
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0]
        for name in imported_modules(path):
            package, *parts = name.split(".")
            inside = package == "brain_tumor_clf" and len(parts) > 1
            private = inside and any(part.startswith("_") for part in parts[1:])
            if private and parts[0] != room:
                found.append(f"{path.relative_to(ROOT)}: {name}")
    assert found == []


def test_no_module_is_longer_than_300_lines():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: n for name, n in lengths.items() if n > 300} == {}


def test_importing_loads_no_backend():
    code = (
        "import sys, brain_tumor_clf; dir(brain_tumor_clf);"
        "heavy = {'keras', 'tensorflow', 'sklearn', 'pandas', 'scikeras'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_preparing_data_loads_no_backend():
    code = (
        "import sys, brain_tumor_clf.preprocessing, brain_tumor_clf.datasets;"
        "print(sorted({'keras', 'tensorflow', 'scikeras'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_public_name_exists():
    for name in brain_tumor_clf.__all__:
        assert getattr(brain_tumor_clf, name) is not None
    assert set(brain_tumor_clf.__all__) <= set(dir(brain_tumor_clf))
