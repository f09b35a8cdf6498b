sh -c 'echo $0 $1' name arg
sh -c 'echo $#' a b c d
(exec -a renamed sh -c 'echo $0') 2>/dev/null || echo "no -a"
