# shell: bash
# vim, ex, nano and less on a terminal, driven by keys; what they leave in files is compared, and what less draws.
seq 1 30 >f; vi -es -c '%s/1/one/g' -c '5,10d' -c wq f; cat f | head -8; printf 'g/2/p\nq\n' | ex -s f; vim.tiny -u NONE -es +'normal ggVGU' +wq f; head -1 f
keys() { for k in "$@"; do sleep 0.5; printf "$k"; done; sleep 0.5; }
export TERM=vt100
seq 1 5 >v; keys 'ihello \033' 'jdd' ':wq\r' | script -qec 'stty rows 24 cols 80; vi v' log >/dev/null; cat v; grep -c hello log
seq 1 5 >n; keys 'typed ' '\013' '\017' '\r' '\030' | script -qec 'stty rows 24 cols 80; nano n' log >/dev/null; cat n
seq 1 200 >l; keys ' ' '/150\r' 'g' 'G' 'q' | script -qec 'stty rows 10 cols 40; less l' log >/dev/null; grep -c . log >/dev/null; tr -d '\r' <log | grep -ac '^15[0-9]'; less l | tail -1; less -FX f | head -1; echo x | less; LESSOPEN= less +/100 l | wc -l; view --version | head -1 | cut -c1-9; ls v n .*.sw? 2>/dev/null
