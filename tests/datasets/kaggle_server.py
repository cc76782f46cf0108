"""A local server that speaks the endpoint from which kagglehub downloads a data set."""

import errno
import io
import json
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

# kagglehub calls this port of localhost when KAGGLE_API_ENVIRONMENT=TEST.
PORT = 7777
ENDPOINT = "/datasets.DatasetApiService/DownloadDataset"

COUNTS = {
    "Training": {
        "glioma": 1321,
        "meningioma": 1339,
        "notumor": 1595,
        "pituitary": 1457,
    },
    "Testing": {"glioma": 300, "meningioma": 306, "notumor": 405, "pituitary": 300},
}


def make_archive(leave_out=0):
    """A zip archive laid out as the set, each of its 7,023 images one pixel large."""
    image = io.BytesIO()
    Image.new("L", (1, 1), 90).save(image, "JPEG")
    files = [
        f"{split}/{label}/{split[:2]}-{label[:2]}_{i:04d}.jpg"
        for split, by_class in COUNTS.items()
        for label, n in by_class.items()
        for i in range(n)
    ]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name in files[leave_out:]:
            file.writestr(name, image.getvalue())
    return archive.getvalue()


class KaggleServer:
    """Serves `body` to each download request; remembers the requests.

    With `n_sent` the connection is closed after so many bytes, though more were
    announced.
    """

    def __init__(self, body, status=200, n_sent=None):
        self.requests = []
        self._server = _bind(_make_handler(self.requests, body, status, n_sent))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _bind(handler, patience=60):
    """Listen on the one port there is, once another test run has left it."""
    give_up = time.monotonic() + patience
    while True:
        try:
            return ThreadingHTTPServer(("localhost", PORT), handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > give_up:
                raise
        time.sleep(0.2)


def _make_handler(requests, body, status, n_sent):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            requests.append((self.path, json.loads(self.rfile.read(length))))
            self.send_response(status)
            # The charset spares kagglehub's test mode guessing one for the archive.
            self.send_header("Content-Type", "application/zip; charset=latin-1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:n_sent])

        def log_message(self, *args):
            """Say nothing."""

    return Handler
