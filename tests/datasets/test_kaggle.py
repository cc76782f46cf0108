"""fetch_brain_tumor_mri, against a local server that speaks Kaggle's endpoint."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from brain_tumor_clf import fetch_brain_tumor_mri, load_mri_folder
from brain_tumor_clf.exceptions import DatasetDownloadError, DatasetError
from tests.datasets.kaggle_server import ENDPOINT, KaggleServer, make_archive

needs_kagglehub = pytest.mark.skipif(
    importlib.util.find_spec("kagglehub") is None, reason="kagglehub is not installed"
)

# In a process of its own: kagglehub configures logging and reads the environment when
# it is imported.
SCRIPT = """
import json, sys
from brain_tumor_clf import fetch_brain_tumor_mri
home, *subsets = sys.argv[1:]
out = []
for subset in subsets:
    try:
        scans = fetch_brain_tumor_mri(home, subset=subset)
        out.append([len(scans.data), scans.target_names, str(scans.data[0])])
    except Exception as error:
        out.append([type(error).__name__, str(error)])
print("RESULT" + json.dumps(out))
"""


# kagglehub's test mode knows one port only.
pytestmark = pytest.mark.xdist_group("kaggle")


def fetch(home, *subsets, environment=()):
    """Results of fetching each subset in a fresh process, and its standard error."""
    environment = {
        **os.environ,
        "KAGGLE_API_ENVIRONMENT": "TEST",
        "KAGGLE_CONFIG_DIR": str(home),
        "HOME": str(home),
        "NO_PROXY": "localhost",
        "no_proxy": "localhost",
        **dict(environment),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(home / "data"), *subsets],
        capture_output=True,
        text=True,
        errors="replace",
        env=environment,
        check=True,
        timeout=300,
    )
    return json.loads(done.stdout.rsplit("RESULT", 1)[1]), done.stderr


def what_is_left(home):
    folder = home / "data" / "brain_tumor_mri"
    return list(folder.iterdir()) if folder.exists() else []


@pytest.fixture(scope="module")
def archive():
    return make_archive()


@pytest.fixture(scope="module")
def fetched(tmp_path_factory, archive):
    """A home into which the set was downloaded, and what that looked like."""
    home = tmp_path_factory.mktemp("home")
    with KaggleServer(archive) as server:
        results, stderr = fetch(home, "train", "test", "all")
    return home, results, stderr, server.requests


@needs_kagglehub
class TestDownload:
    def test_whole_set(self, fetched):
        _, (train, test, both), _, _ = fetched
        assert [train[0], test[0], both[0]] == [5712, 1311, 7023]
        assert train[1] == ["glioma", "meningioma", "notumor", "pituitary"]
        assert os.path.basename(train[2]).startswith("Tr-gl")

    def test_once_and_that_version(self, fetched):
        requests = fetched[3]
        assert len(requests) == 1
        assert requests[0][0].endswith(ENDPOINT)
        asked = requests[0][1]
        assert asked["ownerSlug"] == "masoudnickparvar"
        assert asked["datasetSlug"] == "brain-tumor-mri-dataset"
        assert asked["datasetVersionNumber"] == 1

    def test_progress_bar(self, fetched):
        assert "100%" in fetched[2]

    def test_nothing_else_is_left(self, fetched):
        assert [path.name for path in what_is_left(fetched[0])] == ["version_1"]

    def test_cached_without_a_server(self, fetched):
        home, results, _, _ = fetched
        again, _ = fetch(home, "train")
        assert again == results[:1]
        scans = fetch_brain_tumor_mri(home / "data", download_if_missing=False)
        assert len(scans.data) == 5712

    def test_files_removed_since(self, fetched):
        home = fetched[0]
        folder = home / "data" / "brain_tumor_mri" / "version_1"
        one = next((folder / "Testing" / "glioma").iterdir())
        content = one.read_bytes()
        one.unlink()
        try:
            with pytest.raises(DatasetError, match="holds 1310 test images"):
                fetch_brain_tumor_mri(home / "data", subset="test")
        finally:
            one.write_bytes(content)

    def test_short_archive(self, tmp_path):
        with KaggleServer(make_archive(leave_out=1)) as server:
            ((name, message),), _ = fetch(tmp_path, "train")
        assert len(server.requests) == 1
        assert name == "DatasetDownloadError"
        assert "5711 train images" in message
        assert "load_mri_folder('archive', subset='train')" in message
        assert what_is_left(tmp_path) == []

    def test_interrupted_then_whole(self, tmp_path, archive):
        with KaggleServer(archive, n_sent=len(archive) // 2):
            ((name, message),), _ = fetch(tmp_path, "train")
        assert name == "DatasetDownloadError"
        assert "Nothing was kept" in message
        assert what_is_left(tmp_path) == []
        with KaggleServer(archive):
            ((n_images, *_),), _ = fetch(tmp_path, "train")
        assert n_images == 5712

    @pytest.mark.parametrize(
        ("body", "status"), [(b"no archive", 200), (b"gone", 404), (b"no", 403)]
    )
    def test_not_an_archive(self, tmp_path, body, status):
        with KaggleServer(body, status=status):
            ((name, message),), _ = fetch(tmp_path, "train")
        assert name == "DatasetDownloadError"
        assert "could not be downloaded" in message
        assert what_is_left(tmp_path) == []

    def test_no_network(self, tmp_path):
        # A proxy on a port where nobody listens, whatever runs on Kaggle's test port.
        proxy = {"http_proxy": "http://localhost:9", "NO_PROXY": "", "no_proxy": ""}
        ((name, message),), _ = fetch(tmp_path, "train", environment=proxy)
        assert name == "DatasetDownloadError"
        assert "https://www.kaggle.com/datasets/masoudnickparvar" in message
        assert "load_mri_folder('archive', subset='train')" in message
        assert what_is_left(tmp_path) == []


def test_a_half_written_folder_is_not_the_set(tmp_path):
    folder = tmp_path / "brain_tumor_mri" / "version_1" / "Training" / "glioma"
    folder.mkdir(parents=True)
    with pytest.raises(DatasetDownloadError, match="is not in"):
        fetch_brain_tumor_mri(tmp_path, download_if_missing=False)


def test_not_there_and_not_to_be_downloaded(tmp_path):
    with pytest.raises(DatasetDownloadError, match="To download it by hand"):
        fetch_brain_tumor_mri(tmp_path, download_if_missing=False)


def test_without_kagglehub(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(ImportError, match=r"brain-tumor-clf\[kaggle\]"):
        fetch_brain_tumor_mri(tmp_path)


def test_unknown_arguments(tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'train'"):
        fetch_brain_tumor_mri(tmp_path, subset="training")
    with pytest.raises(ValueError, match=r"version must be one of \[1\]"):
        fetch_brain_tumor_mri(tmp_path, version=2)


def test_mounted_set_is_left_where_it_is(tmp_path, monkeypatch):
    """Kaggle's own notebooks mount the set instead of downloading it."""
    import io
    import types
    import zipfile

    mount = tmp_path / "mount"
    with zipfile.ZipFile(io.BytesIO(make_archive())) as archive:
        archive.extractall(mount)
    stub = types.SimpleNamespace(dataset_download=lambda *args, **kwargs: str(mount))
    monkeypatch.setitem(sys.modules, "kagglehub", stub)
    scans = fetch_brain_tumor_mri(tmp_path / "data", subset="test")
    assert scans.data.tolist() == load_mri_folder(mount, "test").data.tolist()
    assert sorted(path.name for path in mount.iterdir()) == ["Testing", "Training"]
