x=value
cat <<END
plain $x $(echo command) \$escaped $((1 + 2))
	tab stays
END
cat <<'END'
plain $x $(echo command)
END
cat <<-END
	tabs go
		all of them
	END
