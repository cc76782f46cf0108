"""The package as a whole: its layers and what importing it costs."""

import shutil
import subprocess
import sys
from pathlib import Path

import brain_tumor_clf

ROOT = Path(__file__).parent.parent


def test_imports_run_strictly_downward():
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command, "import-linter is not installed"
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


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
