seq 5; seq 2 2 10; seq -w 8 11; seq 3 1; seq -s , 1 5; seq 1 0.5 2; seq 5 -2 1
factor 97 360 1000003; 
