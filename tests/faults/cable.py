"""A line between one worker and PostgreSQL that can be cut: nothing gets through any more, and neither side is told."""

import shutil
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

FILE = ".s.PGSQL.5432"
PIECE = 65_536


class Cable:
    """Forwards a Unix socket's connections to a server's; `url` is the database through it."""

    def __init__(self, url: str) -> None:
        host = parse_qs(urlsplit(url).query)["host"][0]
        self._server = str(Path(host) / FILE)
        self._folder = Path(tempfile.mkdtemp(prefix="licence-cable-"))
        self.url = f"{url.partition('?')[0]}?host={quote(str(self._folder))}"
        self._whole = threading.Event()
        self._whole.set()
        self._ends: list[socket.socket] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self._folder / FILE))
        self._listening.listen(64)
        threading.Thread(target=self._connect, daemon=True).start()

    def cut(self) -> None:
        """Let nothing through."""
        self._whole.clear()

    def mend(self, *, forgotten: bool) -> None:
        """Let everything through again, what was held up too; or, `forgotten`, break the connections there were."""
        ends, self._ends = (self._ends, []) if forgotten else ([], self._ends)
        for one in ends:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._whole.set()

    def end(self) -> None:
        """Take it away."""
        self._listening.close()
        self.mend(forgotten=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self) -> None:
        while True:
            try:
                worker, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._server)
            except OSError:  # it is down: whoever called is told so
                worker.close()
                continue
            self._ends += [worker, server]
            for one, other in ((worker, server), (server, worker)):
                threading.Thread(target=self._forward, args=(one, other), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while piece := one.recv(PIECE):
                self._whole.wait()
                other.sendall(piece)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
