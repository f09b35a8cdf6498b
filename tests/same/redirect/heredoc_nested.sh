cat <<A; cat <<B
first $(cat <<C
inner
C
)
A
second
B
