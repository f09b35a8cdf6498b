#!/usr/bin/python3
"""Stands in for a guest of bench/turns.py: a QMP server that prints a figure after each TURNS times it was let run. Arguments: its name,
the socket, the file in which it notes when it runs and stops, TURNS, the number of figures. With a negative number it fails instead."""

import json
import os
import socket
import sys

name, path, log, turns, figures = sys.argv[1:]
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind(path + "-")
server.listen()
os.rename(path + "-", path)
peer = server.accept()[0].makefile("rw")


def send(value):
    peer.write(json.dumps(value) + "\n")
    peer.flush()


def note(word):
    with open(log, "a") as file:
        file.write(f"{word} {name}\n")


send({"QMP": {}})
ran = printed = 0
for line in peer:
    command = json.loads(line)["execute"]
    if command == "cont":
        note("run")
        ran += 1
        if int(figures) < 0:
            note("stop")
            sys.exit(3)
        if ran % int(turns) == 0:
            printed += 1
            note(f"figure{printed}")
            print(f"case{printed} {ran}.0 1.0 1.0 1", flush=True)
            if printed == int(figures):
                note("stop")
                sys.exit(0)
    if command == "stop":
        send({"event": "STOP"})
        note("stop")
    send({"return": {}})
