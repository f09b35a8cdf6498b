# One read() of a file, step by step: docs/read.md says how it is run, and what it prints. For the release build, one processor, and a program that reads a byte
# at a time: the first read is shown (its page is in no window yet), the second, and the first after the call has become a jump.
set $reads = 0
tbreak *px_syscall_entry
continue
exo symbols fs
break *redirect if $rax == 0 && $rdx == 1
commands
silent
set $reads = $reads + 1
if $reads <= 2
printf "read %d\n  kernel  redirect: a number of nobody's, back to ring 3\n", $reads
enable 3 4 5 7
end
if $reads == 3
disable 2-10
enable 11 12
end
continue
end
break *px_syscall_entry if $rax == 0
commands
silent
printf "  libOS   px_syscall_entry: registers stored, through the table\n"
continue
end
break *px_sys_read
commands
silent
printf "  libOS   px_sys_read\n"
continue
end
break *px_fs_call
commands
silent
printf "  libOS   px_fs_call: the page is in no window, fs is asked\n"
enable 6
continue
end
break *fast_ep_call
commands
silent
printf "  kernel  fast_ep_call: five words, and the processor, go to fs\n"
disable 6
continue
end
break do_grant
commands
silent
printf "  fs      do_grant: may he? which pages?\n"
enable 8
continue
end
break *os_share
commands
silent
printf "  fs      os_share\n"
enable 9
continue
end
break *decode_mem_share
commands
silent
printf "  kernel  mem_share: the file's page is mapped into the window\n"
disable 8 9
enable 10
continue
end
break *fast_ep_reply_recv
commands
silent
printf "  kernel  fast_ep_reply_recv: the answer, and the processor, come back\n"
disable 10
continue
end
break *px_site_entry if $rax == 0
commands
silent
printf "a later read, without the kernel\n  libOS   px_site_entry: the instruction has become a jump\n"
continue
end
break *light_read
commands
silent
printf "  libOS   light_read: looks, copies a byte, returns\n"
disable
continue
end
disable 3-12
continue
quit
