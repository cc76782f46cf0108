"""Wrong use and failures: one line on stderr, the status, no traceback."""

from pathlib import Path

import pytest
from PIL import Image
from sklearn.preprocessing import StandardScaler

from brain_tumor_clf import save


def one_line(done, status):
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["trian"], "Did you mean 'train'"),
        (["info", "--bad"], "No such option"),
        (["train"], "Missing"),
        (["train", "no/such/folder", "-o", "m.btc"], "does not exist"),
        (["predict", "no/model.btc", "."], "does not exist"),
        (["train", ".", "-o", "m.btc", "--epochs", "0"], "--epochs"),
        (["train", ".", "-o", "m.btc", "--cv", "many"], "--cv"),
        (["train", ".", "-o", "m.btc", "--learning-rate", "-1"], "above 0"),
        (["train", ".", "-o", "m.btc", "--recipe", "fsat"], "fast"),
        (
            [
                "train",
                ".",
                "-o",
                "m.btc",
                "--recipe",
                "fast",
                "--architecture",
                "VGG16",
            ],
            "not both",
        ),
        (["train", ".", "-o", "no/folder/m.btc"], "does not exist"),
        (["train", ".", "-o", "m.btc", "--json", "."], "is a folder"),
        (["train", ".", "-o", "m.btc", "--no-groups"], "--cv K"),
        (["train", ".", "-o", "m.btc", "--html", "a.html"], "--cv K"),
        (["train", ".", "-o", "m.btc", "--label-issues"], "--cv K"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_wrong_use_is_status_2(args, said, cli, tmp_path):
    error = one_line(cli(*args, cwd=tmp_path), 2)
    assert said in error
    assert "--help)" in error


def test_options_of_training_are_refused_for_the_fast_recipe(cli, scans_dir, tmp_path):
    args = ("--recipe", "fast", "--epochs", 3, "--batch-size", 8)
    done = cli("train", scans_dir, "-o", tmp_path / "m.btc", *args)
    assert done.returncode == 2
    assert "--epochs, --batch-size: the recipe fast trains no network" in done.stderr
    assert not (tmp_path / "m.btc").exists()


def test_ctrl_c_says_what_is_kept(cli, monkeypatch, scans_dir, tmp_path):
    from brain_tumor_clf.cli import _train

    def press(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(_train, "make_model", press)
    done = cli("train", scans_dir, "-o", tmp_path / "m.btc")
    assert done.returncode == 130
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: interrupted. Only files that were announced")
    assert "The same command starts from the beginning." in last
    assert "Traceback" not in done.stderr


def test_progress_without_a_terminal_is_a_line_now_and_then(capsys, monkeypatch):
    from brain_tumor_clf.cli import _console

    clock = iter([0, 20, 61, 61, 100])
    monkeypatch.setattr(_console, "monotonic", lambda: next(clock))
    with _console.progress("Predicting", 4) as advance:
        advance()  # after 20 s
        advance(2)  # after 61 s
        advance()  # after 100 s
    expected = "3 of 4, elapsed 0:01:01, remaining 0:00:20"
    assert capsys.readouterr().err.strip() == expected


def test_no_arguments_show_the_help(cli):
    done = cli()
    assert done.returncode == 2
    assert "Usage" in done.stdout


def test_json_and_csv_at_once(cli, tmp_path):
    (tmp_path / "m.btc").write_bytes(b"")
    done = cli("predict", tmp_path / "m.btc", tmp_path, "--json", "--csv")
    assert "not both" in one_line(done, 2)


def test_an_unknown_architecture_names_the_nearest(cli, scans_dir, tmp_path):
    model = tmp_path / "m.btc"
    done = cli("train", scans_dir, "-o", model, "--architecture", "xceptoin")
    assert done.returncode == 2
    assert "Did you mean 'Xception'" in done.stderr
    assert not model.exists()


def test_groups_and_no_groups_at_once(cli, scans_dir, tmp_path):
    groups = ("--cv", 2, "--groups", scans_dir / "groups.csv", "--no-groups")
    done = cli("train", scans_dir, "-o", tmp_path / "m.btc", *groups)
    assert "not both" in one_line(done, 2)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux' /proc")
@pytest.mark.parametrize("option", ["--output", "--html", "--json"])
def test_what_cannot_be_written_is_told_before_training(option, cli, scans_dir):
    args = {"--output": "m.btc", option: "/proc/self/new"}
    done = cli(
        "train", scans_dir, "--cv", 2, *(word for pair in args.items() for word in pair)
    )
    assert "cannot be written" in one_line(done, 2)


def test_the_healthy_class_is_asked_for_before_training(cli, scans_dir, tmp_path):
    args = ("-o", tmp_path / "m.btc", "--cv", 2, "--healthy", "no tumor")
    done = cli("train", scans_dir, *args)
    assert done.returncode == 2
    assert "Did you mean 'notumor'" in done.stderr.splitlines()[-1]


def test_a_folder_without_classes_is_status_1(cli, tmp_path):
    assert "no images" in one_line(cli("train", tmp_path, "-o", tmp_path / "m.btc"), 1)


def test_a_file_that_is_no_model_is_status_1(cli, scans_dir, tmp_path):
    (tmp_path / "m.btc").write_text("no model")
    done = cli("predict", tmp_path / "m.btc", scans_dir)
    assert "is not a model file" in one_line(done, 1)


def test_a_model_that_is_no_classifier_is_status_1(cli, tmp_path):
    save(StandardScaler().fit([[0.0], [1.0]]), tmp_path / "m.btc")
    Image.new("L", (8, 8)).save(tmp_path / "scan.png")
    done = cli("predict", tmp_path / "m.btc", tmp_path / "scan.png")
    assert "a StandardScaler, which is no classifier" in one_line(done, 1)


@pytest.mark.parametrize("place", ["before", "after"])
def test_debug_shows_the_traceback(place, cli, tmp_path):
    (tmp_path / "m.btc").write_text("no model")
    args = ["info", tmp_path / "m.btc"]
    args.insert(0 if place == "before" else 2, "--debug")
    done = cli(*args)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ModelFileError" in done.stderr


def test_demo_refuses_a_folder_that_is_not_empty(cli, tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    assert "exists already" in one_line(cli("demo", "-o", tmp_path), 2)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
