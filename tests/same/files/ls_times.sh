touch -d '2020-01-01 10:00:00' old; touch -d '2020-06-01 10:00:00' mid; touch -d '2020-12-01 10:00:00' new
ls -t; ls -tr; ls --full-time old | awk '{print $6, $7, $8}'
