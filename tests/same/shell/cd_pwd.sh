mkdir -p a/b/c; ln -s a/b link
cd a/b/c && pwd | sed "s,$HOME,H,"; cd ../.. && pwd | sed "s,$HOME,H,"
cd ../link && pwd | sed "s,$HOME,H,"; pwd -P | sed "s,$HOME,H,"
cd .. && pwd | sed "s,$HOME,H,"
cd - >/dev/null && pwd | sed "s,$HOME,H,"
cd nosuch; echo $?
cd /; pwd; cd //; pwd; cd /tmp/..; pwd
