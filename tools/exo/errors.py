"""Errors that a user sees: two lines, the cause with its object, then the next step."""


class ExoError(Exception):
    def __init__(self, cause, step="", status=1):
        super().__init__(cause)
        self.cause = cause
        self.step = step
        self.status = status

    def text(self):
        return f"exo: {self.cause}\n  {self.step}" if self.step else f"exo: {self.cause}"
