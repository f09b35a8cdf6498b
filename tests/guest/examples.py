"""The programs in examples/: each runs in a guest and says what its comment promises."""

import os

SAYS = {
    "descriptors": b"for root alone\n",
    "door": b"three callers: all answers are right\n",
    "fast": b"1 to 1000: 500500, bits 4\nwith 500 that were sent: 501000\nthe server was killed: its caller knows\n",
    "stream": b"8388608 numbers, the sum is right; then the stream ended\n",
    "channel": b"1000 readings from the harbour, 19 degrees on average; then the channel ended\n",
}


def example(name):
    def body(t):
        result = t.guest("./" + os.path.relpath(os.path.join(t.built, "examples", name), t.root), timeout=60)
        t.equal((result.status, result.stdout), (0, SAYS[name]), result)
    return body


def cases(t):
    for name in sorted(os.listdir(t.path("examples"))):
        if name.endswith(".c"):
            yield "example-" + name[:-2], example(name[:-2])
