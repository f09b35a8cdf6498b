# An interpreter's start and end.
timed_often python3 -c pass
