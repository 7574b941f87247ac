"""Become another program: tie the process to its parent, change who it is, then exec.

Run by path as `python -I -S launcher.py PARENT_PID DEATH_SIGNAL IDENTITY PROGRAM [ARGUMENT…]`; the process id stays.
It exists because none of this is safe between fork and exec of a parent with threads (`preexec_fn`). It imports
nothing but the standard library, knows no program and reads no settings.

IDENTITY is one of
  same           stay who we are
  map:UID:GID    enter a user namespace in which we look like UID:GID. Files stay ours, no capability is left.
  drop:UID:GID   become UID:GID for real and keep, on Linux, the capability to pass closed folders.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
from pathlib import Path

# From the kernel's uapi headers (sched.h, prctl.h, capability.h).
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522

ORPHANED = 125
"""Exit status when the parent was gone before the program could start."""
REFUSED = 126
"""Exit status when the identity could not be taken."""
NOT_STARTED = 127
"""Exit status when the program could not be executed; as in a shell."""


def _call(function: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def enter_namespace(uid: int, gid: int) -> None:
    """Look like `uid:gid` to the programs started from here. Raises OSError where user namespaces are forbidden."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWUSER)
    # Without this line the kernel refuses a group map written from inside.
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1", "ascii")


def drop_to(uid: int, gid: int) -> None:
    """Become `uid:gid` for good. Raises OSError where we may not.

    On Linux CAP_DAC_OVERRIDE is kept: the program and its data may lie below a folder that only root, or another
    user, can enter, and no folder of theirs is opened to everyone for our sake. Where we have no such power
    ourselves (containers with `cap_drop`), the program has to reach its files as `uid`.
    """
    keeps = sys.platform == "linux" and _keep_capabilities()
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if keeps:
        only = 1 << _CAP_DAC_OVERRIDE
        header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
        try:
            _call("capset", header, struct.pack("=6I", only, only, only, 0, 0, 0))
        except OSError:
            # We never had it, and what else we had is not for this program.
            _call("capset", header, struct.pack("=6I", 0, 0, 0, 0, 0, 0))
        else:
            _call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


def _keep_capabilities() -> bool:
    """Let setuid leave the capabilities alone, and access(2), with which initdb looks for its programs, count them."""
    try:
        _call("prctl", _PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    except OSError:
        return False
    return True


def take_identity(identity: str) -> None:
    """Carry out the IDENTITY argument. Raises OSError where the system refuses, ValueError for another text."""
    way, *numbers = identity.split(":")
    if way == "map":
        enter_namespace(*map(int, numbers))
    elif way == "drop":
        drop_to(*map(int, numbers))
    elif way != "same":
        raise ValueError(f"unknown identity {identity!r}")


def tie_to_parent(parent_pid: int, death_signal: int) -> bool:
    """Ask the kernel for `death_signal` when the parent dies. False when it is dead already. Linux only, else a no-op.

    The kernel clears the request with every change of credentials, so the identity is taken first. It means the
    parent's *thread* that forked us: see `child.spawn`.
    """
    if sys.platform == "linux":
        _call("prctl", _PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    return os.getppid() == parent_pid


def main(arguments: list[str]) -> int:
    parent_pid, death_signal, identity, *program = arguments
    try:
        take_identity(identity)
    except OSError as error:
        print(f"launcher: {identity} refused: {error}", file=sys.stderr)
        return REFUSED
    if not tie_to_parent(int(parent_pid), int(death_signal)):
        return ORPHANED
    # Python ignores these two for itself, and what is ignored stays ignored over exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is what we want
    except OSError as error:
        print(f"launcher: {program[0]}: {error}", file=sys.stderr)
        return NOT_STARTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
