"""A process that ends when whoever started it does, whatever his end: kill -9 runs no handler of his.

A pipe tells: the starter alone holds its writing end, and the kernel closes it with him. PR_SET_PDEATHSIG would be one
call, but it goes by the thread that forked, and a broker may be started from a thread that ends long before.
"""

import os
import signal
import subprocess
import sys

# A pidfd is that one process, never another that got its number later.
_WATCH = """
import os, signal, sys
watched = os.pidfd_open(int(sys.argv[1]))
sys.stdin.buffer.read()
signal.pidfd_send_signal(watched, int(sys.argv[2]))
"""


class Lifeline:
    """From this process to its child `pid`, which gets the signal `number` when it tears. Only Linux has any."""

    def __init__(self, pid: int, number: int = signal.SIGKILL) -> None:
        self._watch: subprocess.Popen[bytes] | None = None
        if hasattr(os, "pidfd_open"):
            self._watch = subprocess.Popen(
                [sys.executable, "-IS", "-c", _WATCH, str(pid), str(int(number))],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # the child may be gone before it is watched, or before it is signalled
                process_group=0,
            )

    def cut(self) -> None:
        """Once the child has ended; one that runs would get the signal."""
        if self._watch is not None:
            self._watch.communicate()
