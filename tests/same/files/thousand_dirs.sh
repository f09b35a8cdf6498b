seq 1 1000 | sed 's,^,d/,' | xargs mkdir -p; ls d | wc -l; seq 1 1000 | while read -r i; do echo $i >d/$i/x; done
cat d/*/x | awk '{s += $1} END {print s}'; find d -type f | wc -l; rm -r d; ls
