"""A crash leaves no image of this process's memory behind: there are keys and prompts in it."""

import sys

if sys.platform == "win32":

    def forbid() -> None:
        """Do nothing: Windows makes dumps only of programs that somebody has named for it."""

else:

    def forbid() -> None:
        """Have the system write no core file, neither of this process nor of its workers."""
        from resource import RLIMIT_CORE, setrlimit

        setrlimit(RLIMIT_CORE, (0, 0))
