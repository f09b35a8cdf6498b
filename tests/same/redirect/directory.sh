mkdir d
echo x >d
echo "status $?"
cat d
echo "status $?"
