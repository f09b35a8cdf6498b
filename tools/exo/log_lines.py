"""Lines that the guest logs for this command rather than for its user: they begin with a mark."""


class MarkedLines:
    """Takes those with MARK out of the log, in whatever pieces it comes."""

    MARK = b""
    SHOWN = True  # lines() is printed at the end

    def __init__(self):
        self.rest = b""

    def note(self, words, seconds):
        """False: the line, here its words after the mark, is none of these after all. `seconds`: since QEMU was started, on this machine."""
        raise NotImplementedError

    def lines(self):
        """What is printed at the end."""
        raise NotImplementedError

    def take(self, text, seconds):
        """What of the text is not for this command."""
        others = []
        *lines, self.rest = (self.rest + text).split(b"\n")
        for line in lines:
            if not line.startswith(self.MARK) or not self.note(line[len(self.MARK):].split(), seconds):
                others.append(line + b"\n")
        if self.rest and not self.MARK.startswith(self.rest[:len(self.MARK)]) and not self.rest.startswith(self.MARK):
            others.append(self.rest)
            self.rest = b""
        return b"".join(others)
