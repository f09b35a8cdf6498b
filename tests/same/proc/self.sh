cat /proc/self/comm; tr '\0' ' ' </proc/self/cmdline; echo; readlink /proc/self/exe; readlink /proc/self/cwd | sed "s,$HOME,H,"; readlink /proc/self/root; [ "$(readlink /proc/self)" -gt 0 ] && echo pid
X=marker sh -c 'tr "\0" "\n" </proc/$$/environ; :' | grep -c '^X=marker'; ls -d /proc/$$/fd /proc/$$/task/$$ | sed "s/$$/N/g"
