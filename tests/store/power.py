"""A store whose power can be cut: what was not synced to the disk is gone."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from infra import embedded

# Stands before the server's fdatasync and notes how long the file was when its sync began: every
# byte before that survives a loss of power, of those after it none is sure.
NOTES_SYNCS: Final = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int fdatasync(int file) {
    static int (*real)(int);
    static int notes = -1;
    if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
    if (notes < 0) notes = open(getenv("SYNC_NOTES"), O_CREAT | O_APPEND | O_WRONLY, 0600);
    struct stat before;
    fstat(file, &before);
    int done = real(file);
    unsigned long name = before.st_ino, size = before.st_size;
    if (!done) dprintf(notes, "%lu %lu\n", name, size);
    return done;
}
"""


def note_syncs(place: Path, patch: pytest.MonkeyPatch) -> Path:
    """Servers started from now on note their syncs in the file that is returned."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here to note the syncs with")
    source, library, notes = place / "notes.c", place / "notes.so", place / "syncs"
    source.write_text(NOTES_SYNCS)
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    patch.setenv("LD_PRELOAD", str(library))
    patch.setenv("SYNC_NOTES", str(notes))
    return notes


def lose_power(server: embedded.Server, notes: Path) -> int:
    """End the server as a loss of power would. Returns how many bytes were lost."""
    server.process.kill()
    server.process.wait()
    lines = [line.split() for line in notes.read_text().splitlines()]
    synced = {int(inode): int(size) for inode, size in lines}
    lost = 0
    for file in (server.home / "appendonlydir").glob("*.incr.aof"):
        about = file.stat()
        size = synced.get(about.st_ino, 0)
        lost += about.st_size - size
        os.truncate(file, size)
    return lost
