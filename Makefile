# The classic names. ./exo does the work; try ./exo --help.

.PHONY: all qemu qemu-nox qemu-gdb qemu-debug test clean

all:
	./exo run --build-only

qemu qemu-nox:
	./exo run

qemu-gdb qemu-debug:
	./exo debug

test:
	./exo test

clean:
	./exo clean
