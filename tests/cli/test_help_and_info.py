"""Help, version and info; help starts nothing heavy."""

import subprocess
import sys

import pytest

import brain_tumor_clf
from brain_tumor_clf.cli._main import app

COMMANDS = [
    "demo",
    "audit",
    "train",
    "compare",
    "evaluate",
    "adapt",
    "predict",
    "explain",
    "app",
    "info",
]
HEAVY = [
    *("keras", "tensorflow", "jax", "torch"),
    *("pandas", "sklearn", "scipy", "numpy", "streamlit"),
]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_imports_nothing_heavy(command):
    args = [command, "--help"] if command else ["--help"]
    code = (
        "import sys\n"
        "from brain_tumor_clf.cli import main\n"
        "try:\n"
        f"    main({args!r})\n"
        "except SystemExit as done:\n"
        "    assert done.code == 0\n"
        f"print('heavy', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "Usage" in done.stdout
    assert done.stdout.splitlines()[-1] == "heavy []"


def test_help_fits_80_columns(cli):
    for command in COMMANDS:
        shown = cli(command, "--help").stdout
        assert max(map(len, shown.splitlines())) <= 80


def test_every_architecture_is_in_the_help(cli):
    from brain_tumor_clf.networks import BACKBONES

    for command in ("train", "compare"):
        shown = "".join(cli(command, "--help").stdout.split())
        assert [name for name in BACKBONES if name not in shown] == []


def test_every_report_says_the_same_of_its_use():
    from brain_tumor_clf import reports
    from brain_tumor_clf.cli import _console

    # The command line may not import reports before it must.
    assert _console.RESEARCH_ONLY == reports.RESEARCH_ONLY


def test_version(cli):
    done = cli("--version")
    assert done.stdout == f"brain-tumor-clf {brain_tumor_clf.__version__}\n"
    assert done.returncode == 0


def test_all_commands_are_registered():
    assert [
        command.callback.__name__ for command in app.registered_commands
    ] == COMMANDS


def test_info_tells_versions_backend_and_extras(script):
    done = script("info")
    assert done.returncode == 0
    for word in ("scikit-learn", "keras uses", "gpu", "dicom", "kaggle", "labels"):
        assert word in done.stdout
    assert "InitializeLog" not in done.stderr


def test_missing_extra_is_named(monkeypatch, capsys):
    from brain_tumor_clf.cli import _info

    real = _info._version
    monkeypatch.setattr(
        _info, "_version", lambda p: None if p == "pydicom" else real(p)
    )
    _info.show_versions()
    shown = capsys.readouterr().out
    assert "missing pydicom" in shown
    assert "pip install 'brain-tumor-clf[dicom]'" in shown


def test_info_says_where_the_rates_of_a_threshold_hold():
    from brain_tumor_clf.cli import _info

    rates = {"threshold": 0.8, "error_rate": 0.05, "coverage": 0.75}
    assert _info.describe_guard({"abstention": rates}) == [
        (
            "threshold",
            "0.800; at most 5.0% of the answers were wrong where it was chosen; 75% of "
            "the images were answered",
        )
    ]
