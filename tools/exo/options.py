"""Command lines: long options as `--name value` and `--name=value`, a few short ones, and words. Options end at `--` or, where a
command says so, at the first word: the rest belongs to the guest's command.
"""

from exo.errors import ExoError

FLAG, VALUE, LIST = "flag", "value", "list"


class Option:
    """One option. `kind` FLAG has no value, VALUE the last one given, LIST all of them."""

    def __init__(self, name, kind, metavar="", help="", default=None, short=None, check=None, missing=False):
        self.name = name
        self.kind = kind
        self.metavar = metavar
        self.help = help
        self.default = default
        self.short = short
        self.check = check  # turns the text into a value; ValueError says what is wrong with it
        self.missing = missing  # known, and not there yet

    @property
    def attribute(self):
        return self.name.replace("-", "_")

    def spelled(self):
        short = f"-{self.short}, " if self.short else "    "
        return f"{short}--{self.name}" + (f" {self.metavar}" if self.kind != FLAG else "")


class Values:
    """What was given: an attribute for each option, and `words`."""


def number(text, low, high, what):
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise ValueError(f"{what} is a number from {low} to {high}")
    return value


def choice(*names):
    def check(text):
        if text not in names:
            raise ValueError("known are: " + ", ".join(names))
        return text
    return check


def usage_error(command, cause):
    return ExoError(cause, f"type ./exo {command} --help for what there is", status=2)


class Parser:
    """Reads the words after `./exo COMMAND`."""

    def __init__(self, command, options, words_end_options=False):
        self.command = command
        self.words_end_options = words_end_options
        self.options = options
        self.by_name = {option.name: option for option in options}
        self.by_short = {option.short: option for option in options if option.short}

    def parse(self, arguments):
        values = Values()
        values.words = []
        for option in self.options:
            setattr(values, option.attribute, [] if option.kind == LIST else option.default)
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            if word == "--":
                values.words += rest
                break
            if not word.startswith("-") or word == "-":
                values.words.append(word)
                if self.words_end_options:
                    values.words += rest
                    break
                continue
            self._one(values, word, rest)
        return values

    def _one(self, values, word, rest):
        option, text = self._find(word)
        if option.missing:
            raise ExoError(f"{word.partition('=')[0]} is not available yet (CAVEATS.md)", status=2)
        if option.kind == FLAG:
            if text is not None:
                raise usage_error(self.command, f"--{option.name} takes no value, and {text!r} was given")
            setattr(values, option.attribute, True)
            return
        if text is None:
            if not rest:
                raise usage_error(self.command, f"--{option.name} needs a value: {option.metavar}")
            text = rest.pop(0)
        try:
            value = option.check(text) if option.check else text
        except ValueError as problem:
            raise usage_error(self.command, f"--{option.name} {text}: {problem}") from problem
        if option.kind == LIST:
            getattr(values, option.attribute).append(value)
        else:
            setattr(values, option.attribute, value)

    def _find(self, word):
        if word.startswith("--"):
            name, separator, text = word[2:].partition("=")
            option = self.by_name.get(name)
            text = text if separator else None
        else:
            option = self.by_short.get(word[1])
            text = word[2:].removeprefix("=") if len(word) > 2 else None
        if option is None:
            raise usage_error(self.command, f"{self.command} has no option {word.partition('=')[0]}")
        return option, text

    def help(self):
        shown = [option for option in self.options if option.help and not option.missing]
        width = max((len(option.spelled()) for option in shown), default=0)
        return "\n".join(f"  {option.spelled():{width}}  {option.help}" for option in shown)
