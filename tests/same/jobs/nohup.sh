# What nohup does: a child that ignores HUP from birth.
(trap '' HUP; exec sh -c 'kill -HUP $$; echo survived'); echo $?
sh -c 'kill -HUP $$; echo not reached'; echo $?
