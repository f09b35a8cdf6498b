# A shell without job control starts background jobs with INT and QUIT ignored.
sh -c 'kill -INT $$; kill -QUIT $$; echo immune' & wait $!; echo $?
