"""Errors that a user sees: two lines, the cause with its object, then the next step."""

import errno

# What this machine refuses, and what helps. Anything else that Python raises is a fault of ours and is shown as such.
REFUSALS = {
    errno.ENOSPC: "make room, for instance with ./exo clean, and try again",
    errno.EDQUOT: "make room, for instance with ./exo clean, and try again",
    errno.EROFS: "name a build folder elsewhere: EXO_BUILD=DIR ./exo ... (and XDG_CACHE_HOME=DIR for packages)",
    errno.EACCES: "make it yours, or name a build folder elsewhere: EXO_BUILD=DIR ./exo ...",
    errno.EPERM: "make it yours, or name a build folder elsewhere: EXO_BUILD=DIR ./exo ...",
}


class ExoError(Exception):
    def __init__(self, cause, step="", status=1):
        super().__init__(cause)
        self.cause = cause
        self.step = step
        self.status = status

    def text(self):
        return f"exo: {self.cause}\n  {self.step}" if self.step else f"exo: {self.cause}"


def refusal(error):
    """The ExoError for what this machine refused (an OSError), or None."""
    step = REFUSALS.get(error.errno)
    return ExoError(f"{error.filename or 'writing'}: {error.strerror}", step) if step else None
