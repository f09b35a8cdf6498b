# shell: tclsh
# Lists, dictionaries, files, pipes, events, sockets over the loopback, regular expressions.
puts "[info patchlevel] [expr {2 ** 100}] [lsort -integer {3 1 2}] [lindex {a b c} end]"
set d [dict create a 1 b 2]; dict incr d a 5; puts [dict get $d a]; puts [regexp -all -inline {\d+} "a1b22c333"]; puts [string map {a b b a} abba]
set f [open file w]; for {set i 0} {$i < 100} {incr i} {puts $f $i}; close $f; puts [file size file]; puts [exec seq 1 3 | sort -rn]; if {[catch {exec false} m o]} {puts [dict get $o -errorcode 0]}
if {[catch {exec false} m o]} {puts [lindex [dict get $o -errorcode] 0]}
proc accept {c a p} {fconfigure $c -buffering line; fileevent $c readable [list echo $c]}; proc echo c {if {[gets $c l] < 0} {close $c} else {puts $c [string toupper $l]}}
set s [socket -server accept -myaddr 127.0.0.1 0]; set port [lindex [fconfigure $s -sockname] 2]; set c [socket 127.0.0.1 $port]; fconfigure $c -buffering line; puts $c hello; fileevent $c readable {gets $c line; set done 1}; vwait done; puts $line
after 50 {set t 1}; vwait t; puts timer; puts [clock format 0 -gmt 1 -format %Y-%m-%d]; puts [lmap x {1 2 3} {expr {$x * $x}}]; coroutine co apply {{} {yield; yield 1; return 2}}; puts [co][co]; puts [lsort [glob *]]; file delete file; exit 6
