touch a1 a2 b1 .hidden 'x y'; mkdir d; touch d/z
echo *; echo a?; echo [ab]1; echo [!a]*; echo .h*; echo */z; echo */; echo nomatch*; echo 'a*'; echo "a"*; echo \*
x='a*'; echo $x "$x"; for f in [a-b][0-9]; do echo $f; done
