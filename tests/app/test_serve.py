"""Starting: settings, and failures of one line."""

import socket
import threading
import time

import pytest

from brain_tumor_clf.app import _serve, _session, serve
from brain_tumor_clf.app._served import Queue
from brain_tumor_clf.cli import _app, _console
from tests.cli.conftest import run_script


def failure(*args):
    done = run_script("app", *args)
    assert done.returncode == 1, done.stderr
    *_, last = done.stderr.splitlines()
    assert last.startswith("Error: ")
    assert "Traceback" not in done.stderr
    return last


def test_a_taken_port_is_told_in_one_line(fitted):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen at 127.0.0.1, port {port}"):
            serve(fitted, name="x", port=port)


def test_an_address_of_another_machine(fitted):
    with pytest.raises(OSError, match=r"cannot listen at 203\.0\.113\.7, port 8501"):
        serve(fitted, name="x", host="203.0.113.7")


def test_a_model_without_probabilities(scans):
    from sklearn.svm import LinearSVC

    model = LinearSVC().fit(scans.data.reshape(16, -1), scans.target)
    with pytest.raises(TypeError, match="x gives no probabilities"):
        serve(model, name="x", port=0)


def test_settings():
    options = _serve._options("127.0.0.1", 8501)
    assert options["browser.gatherUsageStats"] is False
    assert options["server.address"] == "127.0.0.1"
    assert options["server.maxUploadSize"] == 32
    assert options["server.enableStaticServing"] is False
    assert options["client.showErrorDetails"] == "none"
    assert "localhost" in options["server.allowedHosts"]
    assert _serve._options("0.0.0.0", 8501)["server.allowedHosts"] == []


def test_every_setting_is_one_of_streamlits():
    from streamlit import config

    known = config.get_config_options()
    assert set(_serve._options("127.0.0.1", 1)) <= set(known)


def test_visitors_work_one_at_a_time_and_in_order():
    queue, ahead, order = Queue(), [], []
    started, waited_for = threading.Event(), threading.Event()

    def work(name, on_wait=lambda n_ahead: None):
        with queue.turn(on_wait):
            started.set()
            waited_for.wait(60)
            order.append(name)

    def leave(n_ahead):
        raise KeyboardInterrupt

    first = threading.Thread(target=work, args=("first",))
    first.start()
    started.wait()
    with pytest.raises(KeyboardInterrupt):
        work("left", leave)  # a visitor who leaves gives up the place
    second = threading.Thread(target=work, args=("second", ahead.append))
    second.start()
    while not ahead:
        time.sleep(0.01)
    waited_for.set()
    work("third")
    second.join()
    assert order == ["first", "second", "third"]
    assert ahead[0] == 1


def test_closed_sessions_are_found_and_forgotten(monkeypatch):
    now = 1000.0
    seen = {"open": 0.0, "closed": 0.0, "lost for a moment": now - 10}
    monkeypatch.setattr(_session, "_last_connected", seen)
    assert _session._find_closed(lambda name: name == "open", now) == ["closed"]
    assert seen == {"open": now, "lost for a moment": now - 10}


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(_console, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError) as info:
        _app.app()
    assert "\n" not in str(info.value)
    assert "pip install 'brain-tumor-clf[app]'" in str(info.value)


def test_a_file_that_is_no_model(tmp_path):
    path = tmp_path / "model.btc"
    path.write_bytes(b"no model")
    assert "model.btc" in failure("--model", path, "--port", 0)


@pytest.mark.slow
def test_a_pickle_is_opened_only_on_demand(tmp_path):
    import pickle

    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Touch(tmp_path / "ran")))
    assert "model.pkl" in failure("--model", path, "--port", 0)
    assert not (tmp_path / "ran").exists()
    failure("--model", path, "--port", 0, "--trust-pickle")
    assert (tmp_path / "ran").exists()


class Touch:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")
