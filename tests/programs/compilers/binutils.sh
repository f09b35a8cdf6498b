# long
# binutils: assembler, linker, archives, symbols, disassembly, sections, addresses to lines; what is no object is refused.
cat >a.s <<'END'
	.globl _start
	.data
word:	.quad 42
text:	.asciz "some text"
	.text
_start:	mov $60, %eax
	mov word(%rip), %rdi
	syscall
	.size _start, . - _start
	.type _start, @function
END
as -o a.o a.s && ld -o a a.o && ./a; echo "$?"
cksum <a.o; cksum <a
nm a.o; nm -n --defined-only a | awk '{ print $2, $3 }'
readelf -hSlsW a | grep -v 'There are'
objdump -d a; objdump -s -j .data a | tail -2
size a; strings -n 8 a | sort | head -5
objcopy --only-section=.data -O binary a data && od -c data
strip -s -o bare a && ./bare; echo "$? $(nm bare 2>&1)"
printf '	.globl f\nf:	ret\n' | as -o f.o -; printf '	.globl g\ng:	call f\n	ret\n' | as -o g.o -
ar rcsD lib.a f.o g.o && ar t lib.a && nm -s lib.a | grep ' in '; ar d lib.a f.o; ar t lib.a; ranlib -D lib.a; cksum <lib.a
ld -r -o both.o f.o g.o && objdump -dr both.o | tail -6
ld -T /dev/stdin -o placed a.o <<'END' && readelf -lW placed | grep -c LOAD
SECTIONS { . = 0x500000; .text : { *(.text) } . = ALIGN(4096); .data : { *(.data) } }
END
c++filt _ZN3abc3defEiPc; addr2line -e a 0x401000
ld -o none g.o 2>&1 | sed 's/^ld: //' | tail -2
echo text >text; for tool in nm objdump\ -d readelf\ -h strip size; do $tool text 2>&1 | head -1; done
printf '	bad instruction\n' | as -o none - 2>&1 | tail -1
as --64 -alhn a.s -o /dev/null | head -12
