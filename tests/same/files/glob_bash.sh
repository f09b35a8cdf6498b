# shell: bash
touch a.c b.c c.h .x; mkdir -p d/e; touch d/e/f.c
shopt -s extglob nullglob globstar
echo !(*.c); echo @(a|b).c; echo **/*.c; echo nomatch*; echo {a,b}.{c,h} {1..5} {a..e..2} {01..03}
shopt -s dotglob; echo *; set +o noglob; shopt -u nullglob; shopt -s failglob; echo zzz*; echo $?
