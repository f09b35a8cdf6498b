# shell: dash
# long
# ip asks by netlink what there is of the loopback.
ip -o link show lo; ip -4 -o addr show lo; ip -br link show lo; ip link show none0; echo $?; ip -4 route get 127.0.0.5 | head -1 | cut -d' ' -f1-4
